// Sends the messages of the files named, one after the other, through Medplum's MLLP client; prints MSA-1 of each answer.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [home, port, ...files] = process.argv.slice(2);
const require = createRequire(`${home}/`);
const { Hl7Client } = require('@medplum/hl7');
const { Hl7Message } = require('@medplum/core');

const client = new Hl7Client({ host: '127.0.0.1', port: Number(port), keepAlive: true });
for (const file of files) {
  const answer = await client.sendAndWait(Hl7Message.parse(readFileSync(file, 'utf-8')), { timeoutMs: 10000 });
  console.log(answer.getSegment('MSA').getField(1).toString());
}
await client.close();
