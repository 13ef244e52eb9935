import { context, type Span, type SpanContext, type Tracer, trace } from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const TENANT = 'DEMO_TENANT';

interface SeenSpan {
  name: string;
  hasEnded: boolean;
}

/** Stands for the SDK that a deployment with traces has: it keeps the names of the spans and exports nothing. */
function recordSpans(): SeenSpan[] {
  const seen: SeenSpan[] = [];
  const spanContext: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 };
  const startSpan: Tracer['startSpan'] = (name) => {
    const record = { name, hasEnded: false };
    seen.push(record);
    const span = trace.wrapSpanContext(spanContext) as Span;
    span.end = () => {
      record.hasEnded = true;
    };
    return span;
  };
  const startActiveSpan = (name: string, ...rest: unknown[]) =>
    (rest.at(-1) as (span: Span) => unknown)(startSpan(name, undefined, context.active()));
  trace.setGlobalTracerProvider({
    getTracer: () => ({ startSpan, startActiveSpan }) as unknown as Tracer,
  });
  return seen;
}

describeOnBothBackends('traces of the queue', (backend) => {
  afterEach(() => trace.disable());

  it.each([
    ['are there when they are asked for', { QUEUE_TELEMETRY: 'true' }, true],
    ['are not there by default', {}, false],
  ] as const)('%s', async (_, env, areThere) => {
    const spans = recordSpans();
    const deployment = await createDeployment(backend, env);
    try {
      await deployment.startWorker();
      const answer = await deployment.post('/api/ami/publish-once', {
        tenantId: TENANT,
        meterCount: 50,
        feederCount: 10,
      });
      expect(answer.status).toBe(202);
      await waitFor('the publish', async () => {
        const progress = await deployment.http.get(`/api/ami/publish/${answer.body.publishId}`);
        return progress.body.state === 'done';
      });
      const ended = (): string[] => spans.filter(({ hasEnded }) => hasEnded).map(({ name }) => name);
      if (areThere) {
        for (const part of [/^add.* gridlens-ami/, /^process gridlens-ami/])
          await waitFor(`the span ${part}`, async () => ended().some((name) => part.test(name)));
      } else expect(spans).toEqual([]);
    } finally {
      await deployment.close();
    }
  });
});
