// Starts a bed, says where it is, and waits to be killed.
import { type Supervisor, startBed } from './bed.ts';

const { root, postgres } = await startBed({ supervisor: process.argv[2] as Supervisor });
process.stdout.write(`${JSON.stringify({ root, port: postgres.port })}\n`);
setInterval(() => {}, 60_000);
