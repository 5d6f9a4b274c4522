// What a program does through `fhir-kit-client`: prints each step's outcome as one JSON object.

const [home, baseUrl] = process.argv.slice(2);
const { Client } = await import(`${home}/node_modules/fhir-kit-client/dist/index.js`);
const fhir = new Client({ baseUrl });
const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
const done = {};

done.metadata = (await fhir.capabilityStatement()).fhirVersion;
const patient = await fhir.create({ resourceType: 'Patient', body: { resourceType: 'Patient', name: [{ text: '张三' }] } });
done.create = Boolean(patient.id);
done.read = (await fhir.read({ resourceType: 'Patient', id: patient.id })).name[0].text;
const subject = { reference: `Patient/${patient.id}` };
for (let n = 0; n < 7; n += 1) {
  await fhir.create({ resourceType: 'Observation', body: { resourceType: 'Observation', status: 'final', code, subject } });
}
const ids = new Set();
let first;
let page = await fhir.search({ resourceType: 'Observation', searchParams: { subject: subject.reference, _count: 2 } });
while (page) {
  for (const entry of page.entry ?? []) {
    first ??= entry.resource;
    ids.add(entry.resource.id);
  }
  page = await fhir.nextPage({ bundle: page });
}
done.search = ids.size;
const posted = await fhir.search({ resourceType: 'Observation', searchParams: { subject: subject.reference }, options: { postSearch: true } });
done.post = (posted.entry ?? []).length > 0;
done.update = (await fhir.update({ resourceType: 'Patient', id: patient.id, body: { ...patient, gender: 'female' } })).meta.versionId;
const jsonPatch = [{ op: 'replace', path: '/gender', value: 'male' }];
done.patch = (await fhir.patch({ resourceType: 'Patient', id: patient.id, jsonPatch })).gender;
done.history = (await fhir.history({ resourceType: 'Patient', id: patient.id })).entry.length;
const entry = { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } };
const told = await fhir.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry: [entry, entry] } });
done.transaction = told.entry.map((one) => one.response.status.slice(0, 3));
await fhir.delete({ resourceType: 'Observation', id: first.id });
done.delete = await fhir.read({ resourceType: 'Observation', id: first.id }).then(() => 'still there', (fault) => fault.response.status);
console.log(JSON.stringify(done));
