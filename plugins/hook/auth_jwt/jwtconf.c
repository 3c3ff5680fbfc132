/* SPDX-License-Identifier: MIT
 *
 * The options of auth_jwt: sluice-auth_jwt(7).
 */
#include "jwtconf.h"

#include <string.h>

#include "jwtcache.h"

#define AT(field) offsetof(struct jwtconf, field)

const struct sluice_option jwtconf_options[] = {
    {"issuer", SLUICE_STRING, NULL, AT(issuer),
     "what a token's iss has to be; \"\": anything"},
    {"audience", SLUICE_LIST, NULL, AT(audience),
     "of which a token's aud has to name one; []: anything"},
    {"jwks", SLUICE_STRING, "", AT(jwks),
     "the issuer's key set: a file, or an http(s) URL"},
    {"key_file", SLUICE_STRING, "", AT(key_file),
     "a file of public keys in PEM"},
    {"secret_file", SLUICE_STRING, "", AT(secret_file),
     "a file with the secret of HS256, HS384 and HS512"},
    {"secret", SLUICE_SECRET, "", AT(secret), "the secret itself"},
    {"algorithms", SLUICE_LIST,
     "[HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
     "ES384, ES512, EdDSA]",
     AT(algorithms), "which signatures are taken, each of its keys only"},
    {"types", SLUICE_LIST, "", AT(types),
     "what a token's typ has to be; []: JWT, at+jwt or nothing"},
    {"leeway", SLUICE_TIME, "30s", AT(leeway_ms),
     "how far the issuer's clock may be off"},
    {"identity_claim", SLUICE_STRING, "sub", AT(identity_claim),
     "the claim that says who it is"},
    {"operations_claim", SLUICE_STRING, "", AT(operations_claim),
     "the claim that says what they may do, such as scope"},
    {"operations_prefix", SLUICE_STRING, "files:", AT(operations_prefix),
     "what an operation begins with in operations_claim"},
    {"operations", SLUICE_LIST, "", AT(operations),
     "what they may do whose token doesn't say it; * is all"},
    {"prefixes_claim", SLUICE_STRING, "", AT(prefixes_claim),
     "the claim that says below which prefixes"},
    {"prefixes", SLUICE_LIST, "", AT(prefixes),
     "the same, for tokens that don't; {user} is the identity"},
    {"refresh", SLUICE_TIME, "5m", AT(refresh_ms),
     "how often keys are read again"},
    {"refresh_pause", SLUICE_TIME, "30s", AT(pause_ms),
     "the least time between two requests for keys"},
    {"keep", SLUICE_TIME, "1d", AT(keep_ms),
     "how long keys of a URL last when it doesn't answer"},
    {"timeout", SLUICE_TIME, "5s", AT(timeout_ms),
     "how long the URL may take to answer"},
    {"ca_file", SLUICE_STRING, "", AT(ca_file),
     "certificates that the URL's is checked by; empty: the system's"},
    {"proxy", SLUICE_STRING, "", AT(proxy),
     "URL of an HTTP proxy for the URL; empty: none"},
    {"cache", SLUICE_INT, "1024", AT(cache),
     "how many verified tokens a loop remembers; 0: none"},
    {"realm", SLUICE_STRING, "sluice", AT(realm),
     "what WWW-Authenticate names"},
    {NULL, 0, NULL, 0, NULL}};
