/* SPDX-License-Identifier: MIT
 *
 * A key is 64 hex digits on a line of its own; a line may be empty, or begin
 * with #.  A message never holds a part of a line.
 */
#include "keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "codec.h"
#include "digest.h"

static bool add_key(struct crypt_keys *keys, const char *path, unsigned line,
                    const char *text, struct errmsg *err) {
  if (keys->count == CRYPT_KEYS_MAX)
    return errmsg_set(err,
                      "%s:%u: more than %d keys; drop those that no "
                      "object is sealed with",
                      path, line, CRYPT_KEYS_MAX);
  struct crypt_key *key = &keys->keys[keys->count];
  if (strlen(text) != 2 * CRYPT_KEY_LEN ||
      !codec_unhex(key->key, sizeof key->key, text))
    return errmsg_set(err,
                      "%s:%u: no key; write 64 hex digits, as "
                      "`openssl rand -hex 32` does",
                      path, line);
  crypt_name(key);
  for (size_t i = 0; i < keys->count; i++)
    if (memcmp(keys->keys[i].id, key->id, sizeof key->id) == 0)
      return errmsg_set(err,
                        "%s:%u: a key that is there already; name each "
                        "once",
                        path, line);
  keys->count++;
  return true;
}

static bool read_lines(struct crypt_keys *keys, const char *path, char *text,
                       struct errmsg *err) {
  unsigned line = 1;
  for (char *at = text; *at != '\0'; line++) {
    size_t len = strcspn(at, "\n");
    char *next = at + len + (at[len] == '\n');
    at[len] = '\0';
    if (len > 0 && at[len - 1] == '\r')
      at[len - 1] = '\0';
    if (*at != '\0' && *at != '#' && !add_key(keys, path, line, at, err))
      return false;
    at = next;
  }
  return keys->count > 0 ||
         errmsg_set(err,
                    "%s: holds no key; write 64 hex digits, as `openssl "
                    "rand -hex 32` does",
                    path);
}

bool keyfile_read(struct crypt_keys *keys, const char *path,
                  struct errmsg *err) {
  char text[KEYFILE_MAX + 2];
  struct stat about;
  FILE *file = fopen(path, "re");
  if (file == NULL || fstat(fileno(file), &about) != 0) {
    errmsg_set(err, "key_file: %s: %s; make it by `openssl rand -hex 32`",
               path, strerror(errno));
    if (file != NULL)
      fclose(file);
    return false;
  }
  setvbuf(file, NULL, _IONBF, 0); /* no copy of a key stays behind */
  size_t len = fread(text, 1, KEYFILE_MAX + 1, file);
  bool broken = ferror(file) != 0;
  fclose(file);
  text[len] = '\0';
  bool ok = false;
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    errmsg_set(err, "key_file: %s: others may read it; chmod 600 %s", path,
               path);
  else if (broken || len > KEYFILE_MAX || strlen(text) != len)
    errmsg_set(err,
               "key_file: %s: no text of at most %d bytes; write a key a "
               "line",
               path, KEYFILE_MAX);
  else
    ok = read_lines(keys, path, text, err);
  digest_wipe(text, sizeof text);
  return ok;
}
