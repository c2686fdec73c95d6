/** A proxy as a Node team would make it: @fastify/http-proxy.  node fastify-http-proxy.js <port> <upstream url> */
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, upstream] = process.argv.slice(2);
const app = fastify({ bodyLimit: 16 * 1024 * 1024 });
await app.register(proxy, { upstream: upstream!, undici: { connections: 512, pipelining: 1 } });
await app.listen({ port: Number(port), host: '127.0.0.1' });
