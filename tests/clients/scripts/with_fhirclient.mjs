// What an app does through `fhirclient`, SMART's JavaScript client: prints each step's outcome as one JSON object.
import { createRequire } from 'node:module';

const [home, serverUrl] = process.argv.slice(2);
const smart = createRequire(`${home}/`)('fhirclient');
const kept = {};
const storage = { get: async (key) => kept[key], set: async (key, value) => (kept[key] = value), unset: async (key) => delete kept[key] };
const fhir = smart({ headers: {}, url: '/' }, {}, storage).client({ serverUrl });
const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
const done = {};

done.metadata = await fhir.getFhirVersion();
const patient = await fhir.create({ resourceType: 'Patient', name: [{ text: '张三' }] });
done.create = Boolean(patient.id);
done.read = (await fhir.request(`Patient/${patient.id}`)).name[0].text;
const subject = { reference: `Patient/${patient.id}` };
for (let n = 0; n < 7; n += 1) {
  await fhir.create({ resourceType: 'Observation', status: 'final', code, subject });
}
const query = `Observation?subject=${subject.reference}&_count=2`;
const found = await fhir.request(query, { pageLimit: 0, flat: true, resolveReferences: ['subject'] });
done.search = new Set(found.map((one) => one.id)).size;
done.update = (await fhir.update({ ...patient, gender: 'female' })).meta.versionId;
done.patch = (await fhir.patch(`Patient/${patient.id}`, [{ op: 'replace', path: '/gender', value: 'male' }])).gender;
const entry = { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } };
const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry, entry] });
const told = await fhir.request({ url: serverUrl, method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body });
done.transaction = told.entry.map((one) => one.response.status.slice(0, 3));
await fhir.delete(`Observation/${found[0].id}`);
done.delete = await fhir.request(`Observation/${found[0].id}`).then(() => 'still there', (fault) => fault.statusCode ?? fault.status);
console.log(JSON.stringify(done));
