import type { RedisTarget } from './redisUrl.js';

/**
 * What an error reply of Redis means, by the first word of the reply: what is wrong, and what ends it. Redis lives and
 * answers, so nothing of it is a lost connection; each can come and go while processes run.
 */
const REFUSALS: Record<string, string> = {
  OOM: 'Redis is out of memory (OOM): raise its maxmemory, or free some',
  READONLY:
    'Redis is read-only (READONLY), as a replica is: make it the primary, or name the primary in REDIS_URL',
  NOPERM: 'the user of REDIS_URL may not run a command that the queue needs, or not on its keys (NOPERM)',
  NOAUTH: 'Redis wants a password (NOAUTH): name user and password in REDIS_URL',
  WRONGPASS: 'Redis does not take the user and password of REDIS_URL (WRONGPASS)',
  MOVED: 'Redis has become a cluster (MOVED): start the process again',
  ASK: 'Redis has become a cluster (ASK): start the process again',
  CLUSTERDOWN:
    'the Redis cluster does not serve all its slots (CLUSTERDOWN): a failover is under way, or nodes are missing',
  MASTERDOWN: 'Redis is a replica without its primary (MASTERDOWN)',
  MISCONF: 'Redis takes no writes as it cannot save its data (MISCONF): look at its log and disk',
  NOREPLICAS: 'Redis takes no writes as it has too few replicas (NOREPLICAS)',
  LOADING: 'Redis is loading its data (LOADING)',
  BUSY: "Redis is busy with somebody's script (BUSY)",
};
const OTHER_REFUSAL = 'Redis refuses a command that the queue needs';
/** What a client of a cluster says that was sent from node to node, or found none. */
const REDIRECTED = 'Too many Cluster redirections';
const MOVING = 'the Redis cluster is moving slots or failing over';

/** Replies that belong to the normal course of a client. */
const NORMAL_REPLIES = ['NOSCRIPT'];

/** Whether it is an answer of Redis that says no, rather than a connection that is lost or silent. */
export function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error.message.startsWith(REDIRECTED)) return true;
  return error.name === 'ReplyError' && !NORMAL_REPLIES.includes(firstWord(error.message));
}

/**
 * The sentence about an error reply, which names no host, user or value; undefined of other errors. An error that has
 * one as its cause counts too.
 */
export function refusalOf(error: unknown): string | undefined {
  if (isRefusal(error)) {
    if (!error.message.startsWith(REDIRECTED)) return REFUSALS[firstWord(error.message)] ?? OTHER_REFUSAL;
    const last = firstWord(/Last error: (?:\w*Error: )?(.*)$/s.exec(error.message)?.[1] ?? '');
    return last === 'MOVED' || last === 'ASK' ? MOVING : (REFUSALS[last] ?? MOVING);
  }
  return error instanceof Error && error.cause !== undefined ? refusalOf(error.cause) : undefined;
}

const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
]);

/** What helps against an error on the way to Redis, as half a sentence that says what to do. */
export function connectionAdvice(error: Error, { tls }: RedisTarget): string {
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  if (UNKNOWN_AUTHORITY.has(code))
    return "put the certificate of the authority that signed the server's into a file, and name the file in NODE_EXTRA_CA_CERTS";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'name it in REDIS_URL as its certificate does, or give it a certificate for the name it has there';
  if (/^(WRONGPASS|NOAUTH)|invalid password|invalid username-password/i.test(error.message))
    return 'correct user and password in REDIS_URL, where special characters are percent-encoded (/ is %2F, # is %23, ? is %3F, @ is %40)';
  if (error.message.startsWith('NOPERM'))
    return 'give the user of REDIS_URL the right to it (ACL SETUSER … +info)';
  if (tls && (code === 'EPROTO' || code.startsWith('ERR_SSL')))
    return 'it speaks no TLS there: write redis:// in REDIS_URL, or name the port that does';
  // A server without TLS waits for the rest of a command, and so says nothing at all.
  if (tls && (code === 'ETIMEDOUT' || /timed out/i.test(error.message)))
    return 'where it speaks no TLS write redis:// in REDIS_URL, else let its port through the firewalls on the way';
  if (!tls && (code === 'ECONNRESET' || /closed/i.test(error.message)))
    return 'write rediss:// in REDIS_URL where it speaks TLS alone, or look at its log';
  return 'start it, or correct REDIS_URL, or unset it to queue in Postgres';
}

function firstWord(message: string): string {
  return message.split(' ', 1)[0] ?? '';
}
