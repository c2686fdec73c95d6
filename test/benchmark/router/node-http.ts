/** Node's own HTTP and nothing else: it answers by itself, as a model server would.  node node-http.js <port> */
import { createServer } from 'node:http';

const ANSWER = 'x'.repeat(300);
const HEADERS = { 'content-type': 'application/json', 'content-length': ANSWER.length };
createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(200, HEADERS).end(ANSWER, 'latin1'));
}).listen(Number(process.argv[2]), '127.0.0.1');
