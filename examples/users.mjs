/**
 * Users of the example model and, a few seconds later, the truth about each prediction. Node alone.
 *
 *   node examples/users.mjs --router http://127.0.0.1:8081 --controller http://127.0.0.1:8080 --rate 200
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    router: { type: 'string', default: 'http://127.0.0.1:8081' },
    controller: { type: 'string', default: 'http://127.0.0.1:8080' },
    model: { type: 'string', default: 'digits' },
    rate: { type: 'string', default: '200' },
    'label-after-ms': { type: 'string', default: '3000' },
  },
});
const TICK_MS = 50;
const labelAfterMs = Number(values['label-after-ms']);
const token = process.env.CANARY_TOKEN;
const labels = [];
const served = {};
let due = 0;

async function predict() {
  const number = Math.floor(Math.random() * 1e6);
  const response = await fetch(`${values.router}/v2/models/${values.model}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': `user-${Math.floor(Math.random() * 5000)}` },
    body: JSON.stringify({ inputs: [{ name: 'number', shape: [1], datatype: 'INT64', data: [number] }] }),
  });
  await response.arrayBuffer();
  const version = response.headers.get('x-model-version') ?? 'none';
  served[version] = (served[version] ?? 0) + 1;
  // All that has to be kept of a prediction until the truth is known is its id.
  const predictionId = response.headers.get('x-prediction-id');
  if (predictionId) labels.push({ dueMs: Date.now() + labelAfterMs, label: { predictionId, label: number % 10 } });
}

async function sendLabels() {
  const count = labels.findIndex(({ dueMs }) => dueMs > Date.now());
  const ready = labels.splice(0, count < 0 ? labels.length : count).map(({ label }) => label);
  if (ready.length === 0) return;
  await fetch(`${values.controller}/api/v1/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ labels: ready }),
  });
}

const complain = (what) => (error) => console.error(`${what}: ${error.cause?.code ?? error.message}`);
setInterval(() => {
  for (due += (Number(values.rate) * TICK_MS) / 1000; due >= 1; due--) predict().catch(complain('prediction'));
}, TICK_MS);
setInterval(() => sendLabels().catch(complain('labels')), 500);
setInterval(() => console.log(JSON.stringify(served)), 5000);
