/** What the reference says before its first route. */
export const DESCRIPTION = `Interval reads of up to 25,000 emulated smart meters, written into your own Postgres.

**Keys.** A POST needs the header \`Authorization: Bearer <GRIDLENS_API_KEY>\`. A GET needs none, unless
\`GRIDLENS_READ_KEY\` is set: then all routes under \`/api/ami\` need one of its keys, or one that may write.

**Answers** are JSON with \`ok\`. Energies are kWh per interval, voltages volts, shares percent, instants ISO 8601 in UTC.
Each carries its request id in \`X-Request-Id\`: the caller's own, or a new one. A later version may add fields and codes.

**Failures** have one form: \`error\` is a sentence for people, \`code\` is for programs and stays as it is, and the log has
more under the \`requestId\`. A 503 after a POST says whether it may have been accepted, and whether repeating it is safe.

**Other methods.** Whatever answers GET answers HEAD as well, without a body. Every path answers OPTIONS with 204 and
\`Allow\`. A path that is not listed here is a 404 with the code \`not_found\`.

**Numbers beyond a limit** are moved to the limit, and \`safetyWarnings\` says from what to what. Queries may have parameters of
their callers' own. A body with a field that its route does not know is refused.`;
