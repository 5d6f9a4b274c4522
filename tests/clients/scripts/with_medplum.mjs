// What an app does through `@medplum/core`: prints each step's outcome as one JSON object.
import { createRequire } from 'node:module';

const [home, address] = process.argv.slice(2);
const { MedplumClient } = createRequire(`${home}/`)('@medplum/core');
const at = new URL(address);
const fhir = new MedplumClient({ baseUrl: `${at.origin}/`, fhirUrlPath: 'fhir', fetch, cacheTime: 0 });
const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
const done = {};

const patient = await fhir.createResource({ resourceType: 'Patient', name: [{ text: '张三' }], identifier: [{ system: 'urn:test:medplum', value: '1' }] });
done.create = Boolean(patient.id);
done.read = (await fhir.readResource('Patient', patient.id)).name[0].text;
const again = await fhir.createResourceIfNoneExist({ resourceType: 'Patient' }, 'identifier=urn:test:medplum|1');
done.conditional = again.id === patient.id;
const subject = { reference: `Patient/${patient.id}` };
for (let n = 0; n < 7; n += 1) {
  await fhir.createResource({ resourceType: 'Observation', status: 'final', code, subject });
}
const ids = new Set();
for await (const page of fhir.searchResourcePages('Observation', `subject=${subject.reference}&_count=2`)) {
  page.forEach((one) => ids.add(one.id));
}
done.search = ids.size;
done.update = (await fhir.updateResource({ ...patient, gender: 'female' })).meta.versionId;
done.patch = (await fhir.patchResource('Patient', patient.id, [{ op: 'replace', path: '/gender', value: 'male' }])).gender;
done.history = (await fhir.readHistory('Patient', patient.id)).entry.length;
const entry = { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } };
const told = await fhir.executeBatch({ resourceType: 'Bundle', type: 'transaction', entry: [entry, entry] });
done.transaction = told.entry.map((one) => one.response.status.slice(0, 3));
const [gone] = ids;
await fhir.deleteResource('Observation', gone);
done.delete = await fhir.readResource('Observation', gone).then(() => 'still there', (fault) => fault.outcome.issue[0].code);
console.log(JSON.stringify(done));
