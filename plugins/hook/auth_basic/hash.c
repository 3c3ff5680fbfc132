/* SPDX-License-Identifier: MIT
 *
 * Hashes of passwords.  Their form is checked here, when a file is read, so
 * that libcrypt gets nothing it might read in its own way.
 */
#include "hash.h"

#include <crypt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define MAKE "; make it anew with htpasswd -B"

static const char letters[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const char malformed[] = "the hash is cut, or has a letter that none "
                                "has" MAKE;
static const char dear[] = "the hash would take too long to check" MAKE;

/* Moves past `least` to `most` of the letters, and what has to follow. */
static bool skip(const char **at, size_t least, size_t most, char then) {
  size_t len = strspn(*at, letters);
  if (len < least || len > most || (*at)[len] != then)
    return false;
  *at += len + (then != '\0');
  return true;
}

/* ---- one function a kind: what follows its mark ------------------------- */

static const char *bcrypt_fault(const char *at) {
  if (strspn(at, "0123456789") != 2 || at[2] != '$')
    return malformed;
  int cost = (at[0] - '0') * 10 + at[1] - '0';
  at += 3;
  if (cost < 4 || !skip(&at, 53, 53, '\0'))
    return malformed;
  return cost > HASH_BCRYPT_COST_MAX ? dear : NULL;
}

static const char *sha_fault(const char *at, size_t len) {
  if (strncmp(at, "rounds=", 7) == 0) {
    long rounds = 0;
    size_t digits = strspn(at += 7, "0123456789");
    if (digits == 0 || *at == '0' || at[digits] != '$')
      return malformed;
    if (digits > 7)
      return dear;
    for (; *at != '$'; at++)
      rounds = rounds * 10 + *at - '0';
    at++;
    if (rounds < 1000)
      return malformed;
    if (rounds > HASH_SHA_ROUNDS_MAX)
      return dear;
  }
  return skip(&at, 1, 16, '$') && skip(&at, len, len, '\0') ? NULL : malformed;
}

static const char *sha256_fault(const char *at) {
  return sha_fault(at, 43);
}

static const char *sha512_fault(const char *at) {
  return sha_fault(at, 86);
}

/* Parameters as crypt_gensalt() writes them: "j", the logarithm of N, and r.
 * With N up to 2^14 and r of 32 it takes 64 MiB for a moment. */
static const char *yescrypt_fault(const char *at) {
  if (*at != 'j' || strspn(at, letters) != 3 || at[3] != '$')
    return malformed;
  if (strchr(letters, at[1]) > strchr(letters, 'B') ||
      strchr("/0123456789ABCDEFGHIJKLMNOPQRST", at[2]) == NULL)
    return dear;
  at += 4;
  return skip(&at, 1, 86, '$') && skip(&at, 43, 43, '\0') ? NULL : malformed;
}

static const char *md5_fault(const char *at) {
  (void)at;
  return "MD5 is too fast to keep a password" MAKE;
}

static const char *sha1_fault(const char *at) {
  (void)at;
  return "SHA-1 is too fast to keep a password" MAKE;
}

static const char *other_fault(const char *at) {
  (void)at;
  return "this kind of hash isn't read" MAKE;
}

const char *hash_fault(const char *hash) {
  static const struct {
    const char *mark;
    const char *(*fault)(const char *rest);
  } kinds[] = {
      {"$2y$", bcrypt_fault}, {"$2b$", bcrypt_fault}, {"$2a$", bcrypt_fault},
      {"$6$", sha512_fault},  {"$5$", sha256_fault},  {"$y$", yescrypt_fault},
      {"$apr1$", md5_fault},  {"$1$", md5_fault},     {"{SHA}", sha1_fault},
      {"{SSHA}", sha1_fault}, {"$", other_fault},     {"{", other_fault}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strncmp(hash, kinds[i].mark, strlen(kinds[i].mark)) == 0)
      return kinds[i].fault(hash + strlen(kinds[i].mark));
  if (*hash == '\0')
    return "there is no hash after the colon" MAKE;
  if (strlen(hash) == 13 && strspn(hash, letters) == 13)
    return "DES reads eight letters of a password only" MAKE;
  return "a password in plain text, or nothing that is a hash" MAKE;
}

enum hash_result hash_check(const char *hash, const char *password) {
  struct crypt_data *data = calloc(1, sizeof *data);
  enum hash_result result = HASH_FAILED;
  if (data == NULL)
    return HASH_FAILED;
  /* Not crypt_r(), whose failures look like a hash.  With a hash of a good
   * form it fails for lack of memory only, but errno may be any. */
  const char *made = crypt_rn(password, hash, data, (int)sizeof *data);
  size_t len = strlen(hash);
  if (made != NULL)
    result = strlen(made) == len && digest_equal(made, hash, len) ? HASH_RIGHT
                                                                  : HASH_WRONG;
  digest_wipe(data, sizeof *data);
  free(data);
  return result;
}
