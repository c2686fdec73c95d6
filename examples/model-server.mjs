/**
 * A model server to try things with, Node alone: says the last digit of a number, and is wrong, slow or broken as often
 * as it is told. Speaks the Open Inference Protocol v2.
 *
 *   node examples/model-server.mjs --port 9001 --wrong 0.10
 *   node examples/model-server.mjs --port 9002 --wrong 0.02 --slow-ms 5 --errors 0.001
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9001' },
    wrong: { type: 'string', default: '0' },
    errors: { type: 'string', default: '0' },
    'slow-ms': { type: 'string', default: '0' },
  },
});
const [wrong, errors, slowMs] = [values.wrong, values.errors, values['slow-ms']].map(Number);

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    const text = JSON.stringify(body);
    // With its length told, the router can read the prediction before it passes the answer on.
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  };
  if (request.method === 'GET') return answer(200, { ready: true });
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const input = JSON.parse(Buffer.concat(chunks).toString());
  await new Promise((resolve) => setTimeout(resolve, slowMs));
  if (Math.random() < errors) return answer(500, { error: 'out of memory' });
  const digit = input.inputs[0].data[0] % 10;
  const said = Math.random() < wrong ? (digit + 1) % 10 : digit;
  answer(200, { id: input.id, outputs: [{ name: 'digit', shape: [1], datatype: 'INT64', data: [said] }] });
});
server.listen(Number(values.port), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${values.port}`));
