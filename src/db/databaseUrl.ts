import { hostUrls } from './hosts.js';

const PROTOCOLS = ['postgres:', 'postgresql:'];
/** Words of `target_session_attrs` that a primary fits. */
const FIT_A_PRIMARY = ['read-write', 'primary', 'any'];

/**
 * What is wrong with a URL of Postgres, the end of a sentence that begins with the variable's name; undefined when
 * nothing is. No part of the URL is repeated: it may be the password.
 *
 * @param takesWrites false for a URL that standbys are read by.
 */
export function databaseUrlProblem(value: string, takesWrites = true): string | undefined {
  const urls = hostUrls(value).map((url) => (URL.canParse(url) ? new URL(url) : undefined));
  if (!urls.every(isReadable) || endsInPassword(value)) return unreadable(value);
  const parameters = (urls[0] as URL).searchParams;
  const wanted = new URLSearchParams(value.split('?')[1] ?? '').get('target_session_attrs');
  if (parameters.has('schema'))
    return 'has ?schema=, which Postgres does not know: name the schema with ?options=-c%20search_path%3Dname, or set it for the role with ALTER ROLE … SET search_path';
  if (takesWrites && wanted !== null && !FIT_A_PRIMARY.includes(wanted))
    return 'has a target_session_attrs that asks for a server which takes no writes: set read-write, and name standbys in DATABASE_READ_URL';
  return undefined;
}

/** The URL with a password, percent-encoded; as it is where it has a password already, or no user whose password it is. */
export function withPassword(url: string, password: string): string {
  return url.replace(/^([^:]+:\/\/[^:/?#]+)@/, (_all, user) => `${user}:${encodeURIComponent(password)}@`);
}

function isReadable(url: URL | undefined): boolean {
  if (url === undefined || !PROTOCOLS.includes(url.protocol) || url.hostname === '') return false;
  return [url.username, url.password].every((part) => !/%(?![0-9a-f]{2})/i.test(part) && isDecodable(part));
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false; // Not percent-encoded UTF-8, which is the answer.
  }
}

/** A raw `/`, `#` or `?` in the password: what is before it passes for a host and, where it is digits, a port. */
const ENDS_IN_PASSWORD = /^postgres(ql)?:\/\/[^@/?#:]+:[^@/?#]*[/?#].*@/i;
/** The same behind a raw `@`: what is between the two passes for a host. A parameter's value may have an @. */
const ENDS_BEHIND_AT = /^postgres(ql)?:\/\/[^/?#]*@[^/?#]*(\/[^?#]*@|[^#]*\?[^=#]*@|.*#.*@)/i;

function endsInPassword(value: string): boolean {
  return ENDS_IN_PASSWORD.test(value) || ENDS_BEHIND_AT.test(value);
}

function unreadable(value: string): string {
  const sentence = 'must be a URL that starts with postgres:// or postgresql:// and names a host';
  const isPasswordLikely = endsInPassword(value) || /^postgres(ql)?:\/\/[^@]*%[^@]*@/i.test(value);
  return isPasswordLikely
    ? `${sentence}; characters such as / # ? % @ in the user or the password must be percent-encoded (/ is %2F, # is %23, ? is %3F, % is %25, @ is %40)`
    : sentence;
}
