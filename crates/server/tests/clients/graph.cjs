// Graph's own SDK for JavaScript against a running service: its batches and its
// page iterator. Every row here was made by the test that runs this, or by this.

const assert = require("node:assert/strict");
const {
  BatchRequestContent, BatchResponseContent, Client, PageIterator,
} = require("@microsoft/microsoft-graph-client");

const SET = "/reports/office365ActiveUserCounts";
// Rows that the test has made, with 1, 2, 3 … people in Teams.
const ROWS = Number(process.env.ROWS);

// The SDK knows https alone: what stands before the service and ends TLS, as a
// middleware. It hands requests on in the clear and lets links lead back to it.
class Gateway {
  async execute(context) {
    const there = (text) => text.replaceAll("https://127.0.0.1", "http://127.0.0.1");
    const back = (text) => text.replaceAll("http://127.0.0.1", "https://127.0.0.1");
    const answer = await fetch(there(context.request), context.options);
    const body = [204, 304].includes(answer.status) ? null : back(await answer.text());
    context.response = new Response(body, { status: answer.status, headers: answer.headers });
  }
}

async function main(root, token) {
  const secure = root.replace("http:", "https:");
  const baseUrl = new URL(secure).origin;
  const client = Client.initWithMiddleware({ baseUrl, middleware: new Gateway() });
  const headers = { Authorization: `Bearer ${token}` };
  await batches((content) => client.api("/$batch").headers(headers).post(content), secure);
  await pages(client, headers);
}

const row = (teams, day) => ({
  reportRefreshDate: "2025-11-20", office365: 9, exchange: 8, oneDrive: 8, sharePoint: 10,
  skypeForBusiness: 0, yammer: 6, teams, reportDate: day, reportPeriod: "7",
});

async function batches(send, root) {
  const at = root.replace(/\/$/, "") + SET;
  const json = { "Content-Type": "application/json" };
  const post = (body) => new Request(at, { method: "POST", headers: json, body: JSON.stringify(body) });
  const steps = [
    { id: "1", request: post(row(50, "2025-11-01")) },
    { id: "2", request: new Request(`${at}?$top=1&$orderby=teams desc`), dependsOn: ["1"] },
    { id: "3", request: post(row(51, "2025-11-01")), dependsOn: ["2"] },
    { id: "4", request: new Request(`${at}/$count`), dependsOn: ["3"] },
  ];
  const content = await new BatchRequestContent(steps).getContent();
  const answer = new BatchResponseContent(await send(content));
  const status = (id) => answer.getResponseById(id).status;
  assert.deepEqual(["1", "2", "3", "4"].map(status), [201, 200, 409, 424]);
  const made = await answer.getResponseById("1").json();
  assert.equal(made.teams, 50);
  const [most] = (await answer.getResponseById("2").json()).value;
  assert.equal(most.id, made.id);
  const removal = new BatchRequestContent([
    { id: "1", request: new Request(`${at}/${made.id}`, { method: "DELETE" }) },
  ]);
  const removed = new BatchResponseContent(await send(await removal.getContent()));
  assert.equal(removed.getResponseById("1").status, 204);
}

async function pages(client, headers) {
  const options = { headers: { ...headers, Prefer: "odata.maxpagesize=5" } };
  const first = await client.api(SET).headers(options.headers).orderby("teams").get();
  const seen = [];
  const take = (one) => seen.push(one.teams);
  await new PageIterator(client, first, take, options).iterate();
  assert.deepEqual(seen, Array.from({ length: ROWS }, (_, at) => at + 1));
}

const [root, token] = process.argv.slice(2);
main(root, token).then(() => console.log("served @microsoft/microsoft-graph-client"));
