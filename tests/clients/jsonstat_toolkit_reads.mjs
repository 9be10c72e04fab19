// jsonstat-toolkit: the JSON-stat reader of web pages, with statuses and hierarchies.
//
// Arguments: the address of a service, the address of one over the same releases that gives few cells an answer, and the
// folder of the releases, which is not read here.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const [address, smallAddress] = process.argv.slice(2);
const modules = process.env.CACAH_TEST_NODE_MODULES;
if (!address || !smallAddress || !modules) {
  console.error("usage: CACAH_TEST_NODE_MODULES=FOLDER node jsonstat_toolkit_reads.mjs ADDRESS ADDRESS-WITH-SMALL-LIMIT FOLDER");
  process.exit(2);
}
const JSONstat = createRequire(join(dirname(modules), "package.json"))("jsonstat-toolkit");
const api = `${address}/api/v2`;
const small = `${smallAddress}/api/v2`;

function fail(message) {
  console.error(`jsonstat_toolkit_reads.mjs: ${message}`);
  process.exit(1);
}

function dataAddress(base, table, chosen) {
  const parameters = new URLSearchParams({ lang: "en", outputFormat: "json-stat2" });
  for (const [variable, codes] of Object.entries(chosen)) {
    parameters.set(`valueCodes[${variable}]`, codes.join(","));
  }
  return `${base}/tables/${table}/data?${parameters}`;
}

/** The raw answer, taken apart without the toolkit: codes of a cell, joined by "/", to [value, status]. */
async function read(base, table, chosen) {
  const selection = Object.entries(chosen).map(([variableCode, valueCodes]) => ({ variableCode, valueCodes }));
  const answer = await fetch(`${base}/tables/${table}/data?lang=en&outputFormat=json-stat2`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ selection }),
  });
  const document = await answer.json();
  if (!answer.ok) {
    return { status: answer.status, problem: document };
  }
  const codes = document.id.map((variable) => {
    const index = document.dimension[variable].category.index;
    return Object.keys(index).sort((a, b) => index[a] - index[b]);
  });
  const cells = new Map();
  const at = codes.map(() => 0);
  document.value.forEach((value, cell) => {
    cells.set(at.map((position, axis) => codes[axis][position]).join("/"), [value, document.status?.[cell] ?? null]);
    for (let axis = codes.length - 1; axis >= 0 && ++at[axis] === codes[axis].length; axis--) {
      at[axis] = 0;
    }
  });
  const product = document.size.reduce((a, b) => a * b, 1);
  if (cells.size !== product) {
    fail(`${table}: ${cells.size} cells in the answer instead of ${product}`);
  }
  return { status: answer.status, variables: document.id, codes, cells };
}

async function readSome(base, table, chosen) {
  const raw = await read(base, table, chosen);
  if (raw.status !== 200) {
    fail(`${table}: ${raw.status} ${JSON.stringify(raw.problem)}`);
  }
  const suppressed = [...raw.cells.values()].filter(([, status]) => status === "c").length;
  const published = [...raw.cells.values()].filter(([value]) => value !== null).length;
  if (suppressed === 0 || published < 100) {
    fail(`${table}: ${suppressed} suppressed and ${published} published cells: too few to compare`);
  }
  return { ...raw, suppressed };
}

/** Compares cells that the toolkit sees, as [key, value, status], with the raw answer. */
function agree(what, raw, seen) {
  const left = new Map(raw.cells);
  for (const [key, value, status] of seen) {
    const cell = left.get(key);
    if (cell === undefined) {
      fail(`${what}: ${key} is ${raw.cells.has(key) ? "seen twice" : "not in the answer"}`);
    }
    if (value !== cell[0] || (status ?? null) !== cell[1]) {
      fail(`${what}: ${key} is ${value} (${status}), the answer has ${cell[0]} (${cell[1]})`);
    }
    left.delete(key);
  }
  if (left.size > 0) {
    fail(`${what}: ${left.size} of ${raw.cells.size} cells are not seen, such as ${left.keys().next().value}`);
  }
  console.log(`jsonstat-toolkit, ${what}: ${raw.cells.size} cells agree, ${raw.suppressed ?? 0} of them suppressed`);
}

function rows(dataset) {
  const table = dataset.Transform({ type: "arrobj", field: "id", content: "id", status: true });
  return table.map((row) => [dataset.id.map((variable) => row[variable]).join("/"), row.value, row.status]);
}

async function suppressed() {
  const chosen = { Region: ["*"], Age: ["*"], Occupation: ["*"], ContentsCode: ["persons"], Tid: ["2024-S1", "2024-S2"] };
  const raw = await readSome(api, "market", chosen);
  const dataset = await JSONstat(dataAddress(api, "market", chosen));
  for (const role of ["geo", "time", "metric"]) {
    if (dataset.Dimension({ role })?.length !== 1) {
      fail(`the toolkit does not see one dimension of the role ${role}`);
    }
  }
  agree("rows", raw, rows(dataset));
  const first = dataset.id.map((variable) => [variable, dataset.Dimension(variable).id[0]]);
  const cell = dataset.Data(Object.fromEntries(first));
  if (cell.value !== raw.cells.get(first.map(([, code]) => code).join("/"))[0]) {
    fail(`a single cell is ${cell.value} for the toolkit`);
  }
}

async function inParts() {
  const chosen = { Region: ["*"], Sex: ["*"], Religion: ["*"], ContentsCode: ["persons"], Tid: ["*"] };
  const refused = await read(small, "religion", chosen);
  if (refused.status !== 400 || refused.problem.title !== "Too many cells selected") {
    fail(`expected religion to be too large for one answer: ${refused.status} ${refused.problem?.title}`);
  }
  const raw = await readSome(api, "religion", chosen);
  const regions = raw.codes[raw.variables.indexOf("Region")];
  const seen = [];
  let parts = 0;
  for (let start = 0; start < regions.length; start += 50, parts++) {
    const part = { ...chosen, Region: regions.slice(start, start + 50) };
    const dataset = await JSONstat(dataAddress(small, "religion", part));
    // The cells with their coordinates, in the order of the answer.
    dataset.Unflatten((codes, { value, status }) => {
      seen.push([dataset.id.map((variable) => codes[variable]).join("/"), value, status]);
    });
  }
  agree(`${parts} parts`, raw, seen);
}

async function hierarchy() {
  const chosen = { Region: ["*"], ContentsCode: ["persons"], Tid: ["2024-S1"] };
  const raw = await read(api, "population", chosen);
  const dataset = await JSONstat(dataAddress(api, "population", chosen));
  const region = dataset.Dimension("Region");
  if (!region.hierarchy) {
    fail("the toolkit sees no hierarchy of regions");
  }
  agree("a hierarchy", raw, rows(dataset));
  let added = 0;
  let found = 1;
  const count = (code) => dataset.Data({ Region: code, ContentsCode: "persons", Tid: "2024-S1" }).value;
  for (const parent of region.id) {
    const children = region.Category(parent).id ?? [];
    found += children.length;
    const counts = children.map(count);
    if (children.length === 0 || count(parent) === null || counts.includes(null)) {
      continue;
    }
    if (counts.reduce((a, b) => a + b, 0) !== count(parent)) {
      fail(`${parent} has ${count(parent)} people, its children ${children} have ${counts}`);
    }
    added++;
  }
  if (found !== region.id.length || added < 10) {
    fail(`the hierarchy reaches ${found} of ${region.id.length} regions, ${added} parents were compared with their children`);
  }
  console.log(`jsonstat-toolkit: ${added} parents are the sum of their children`);
}

await suppressed();
await inParts();
await hierarchy();
