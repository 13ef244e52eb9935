// The API container's health check: the process answers. Whether Postgres and the queue do is /readyz, for a load balancer:
// a restart of this process mends neither.
const url = `http://127.0.0.1:${process.env.PORT || 5000}/healthz`;
try {
  const { ok } = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  process.exit(ok ? 0 : 1);
} catch (error) {
  process.stderr.write(`${url}: ${error.message}\n`);
  process.exit(1);
}
