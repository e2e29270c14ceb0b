// What a page in a browser has beside Node's fetch, for the JavaScript of the documentation.
//
//   SIGNED_IN_AT  the origin that the page comes from: Better Auth's
//   COOKIE        what is sent there
//
// `sent` lists the requests to the service and for tokens. A function in `faults` replaces the next request
// to the service: it gets a function that sends the request, perhaps with other headers.

const { COOKIE, SIGNED_IN_AT } = process.env;
const { fetch } = globalThis;

globalThis.sent = [];
globalThis.faults = [];

globalThis.fetch = (url, init = {}) => {
  const { origin, pathname } = new URL(url);
  sent.push(`${init.method ?? "GET"} ${pathname}`);
  const send = (more) => {
    const headers = new Headers(init.headers);
    headers.set("Origin", SIGNED_IN_AT);
    if (origin === SIGNED_IN_AT) headers.set("Cookie", COOKIE);
    for (const [name, value] of Object.entries(more ?? {})) headers.set(name, value);
    return fetch(url, { ...init, headers });
  };
  const fault = origin === SIGNED_IN_AT ? undefined : faults.shift();
  return fault ? fault(send) : send();
};
