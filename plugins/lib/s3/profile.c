/* SPDX-License-Identifier: MIT
 *
 * The shared credentials and configuration files of AWS's tools.  Called once,
 * when a backend starts.  No value is ever part of a message, and every copy
 * of the file is wiped.
 */
#include "profile.h"

#include "codec.h"
#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Wherever it stands; two names have one meaning. */
static const struct {
  const char *name;
  size_t offset;
} keys[] = {
    {"aws_access_key_id", offsetof(struct profile, access_key)},
    {"aws_secret_access_key", offsetof(struct profile, secret_key)},
    {"aws_session_token", offsetof(struct profile, session_token)},
    {"aws_security_token", offsetof(struct profile, session_token)},
    {"region", offsetof(struct profile, region)},
    {"role_arn", offsetof(struct profile, role_arn)},
    {"web_identity_token_file",
     offsetof(struct profile, web_identity_token_file)},
};

struct span {
  const char *at;
  size_t len;
};

struct reader {
  struct profile *profile;
  const char *name;
  bool config;
  struct errmsg *err;
  size_t line;

  bool in_section; /* any */
  bool inside;     /* in the profile that is asked for */
  bool found;
  bool has_key;  /* the section has had a key, */
  size_t indent; /* which stood this far from the margin, */
  char **slot;   /* and gave this value; NULL: it isn't wanted */
};

static void wipe(char **text) {
  if (*text)
    digest_wipe(*text, strlen(*text));
  free(*text);
  *text = NULL;
}

void profile_fini(struct profile *profile) {
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    wipe((char **)((char *)profile + keys[i].offset));
}

static bool malformed(const struct reader *reader, const char *what) {
  return errmsg_set(reader->err, "line %zu: %s", reader->line, what);
}

/* ---- spans -------------------------------------------------------------- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static struct span profile_trim(struct span span) {
  for (; span.len && is_blank(span.at[0]); span.len--)
    span.at++;
  while (span.len && is_blank(span.at[span.len - 1]))
    span.len--;
  return span;
}

static bool profile_same(struct span span, const char *text) {
  return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

/* A comment in a line follows a blank, so that a value may hold its sign. */
static struct span drop_comment(struct span span) {
  for (size_t i = 1; i < span.len; i++)
    if ((span.at[i] == '#' || span.at[i] == ';') && is_blank(span.at[i - 1]))
      span.len = i;
  return profile_trim(span);
}

static struct span unquote(struct span span) {
  char first = span.len >= 2 ? span.at[0] : '\0';

  if ((first == '"' || first == '\'') && span.at[span.len - 1] == first)
    return (struct span){span.at + 1, span.len - 2};
  return span;
}

/* ---- lines -------------------------------------------------------------- */

/* In the configuration "profile NAME", or "default" alone; elsewhere NAME. */
static bool is_ours(const struct reader *reader, struct span section) {
  static const char word[] = "profile";
  size_t len = sizeof word - 1;

  if (!reader->config || profile_same(section, "default"))
    return profile_same(section, reader->name);
  if (section.len <= len || memcmp(section.at, word, len) != 0 ||
      !is_blank(section.at[len]))
    return false;
  section = profile_trim((struct span){section.at + len, section.len - len});
  return profile_same(unquote(section), reader->name);
}

static bool read_section(struct reader *reader, struct span line) {
  const char *end = memchr(line.at, ']', line.len);
  struct span section, rest;

  if (!end)
    return malformed(reader, "a section has no end: write \"[name]\"");
  section =
      profile_trim((struct span){line.at + 1, (size_t)(end - line.at) - 1});
  rest = profile_trim(
      (struct span){end + 1, (size_t)(line.at + line.len - end) - 1});
  if (rest.len && rest.at[0] != '#' && rest.at[0] != ';')
    return malformed(reader, "something follows a section: give it a line");
  reader->in_section = true;
  reader->inside = is_ours(reader, section);
  reader->found |= reader->inside;
  reader->has_key = false;
  return true;
}

static char **find_slot(const struct reader *reader, struct span key) {
  for (size_t i = 0; reader->inside && i < sizeof keys / sizeof *keys; i++)
    if (codec_same(key.at, key.len, keys[i].name))
      return (char **)((char *)reader->profile + keys[i].offset);
  return NULL;
}

/* Values go into headers and paths. */
static bool profile_is_clean(struct span value) {
  for (size_t i = 0; i < value.len; i++)
    if ((unsigned char)value.at[i] < ' ' || value.at[i] == 0x7F)
      return false;
  return codec_utf8_valid(value.at, value.len);
}

/* A later value replaces an earlier one, an empty one unsets it. */
static bool profile_store(struct reader *reader, struct span value) {
  if (!profile_is_clean(value))
    return malformed(reader, "a value has a control character or isn't "
                             "UTF-8: write it anew");
  wipe(reader->slot);
  if (!value.len)
    return true;
  *reader->slot = strndup(value.at, value.len);
  return *reader->slot || malformed(reader, "out of memory");
}

static bool profile_read_key(struct reader *reader, struct span line) {
  const char *sign = memchr(line.at, '=', line.len);
  struct span key, value;

  if (!reader->in_section)
    return malformed(reader, "a key before any section: begin with "
                             "\"[default]\"");
  if (!sign || sign == line.at)
    return malformed(reader, "neither a section nor a key: write "
                             "\"key = value\"");
  key = profile_trim((struct span){line.at, (size_t)(sign - line.at)});
  value = (struct span){sign + 1, (size_t)(line.at + line.len - sign) - 1};
  reader->has_key = true;
  reader->slot = find_slot(reader, key);
  return !reader->slot || profile_store(reader, drop_comment(value));
}

/* A line that stands further from the margin than the key before it belongs to
 * that key: "s3 =" has such lines. */
static bool profile_read_line(struct reader *reader, struct span raw) {
  struct span line = profile_trim(raw);
  size_t indent = (size_t)(line.at - raw.at);

  if (!line.len || line.at[0] == '#' || line.at[0] == ';')
    return true;
  if (reader->has_key && indent > reader->indent)
    return !reader->slot ||
           malformed(reader, "a value goes on: put it into one line");
  if (line.at[0] == '[')
    return read_section(reader, line);
  reader->indent = indent;
  return profile_read_key(reader, line);
}

static bool read_lines(struct reader *reader, const char *text, size_t len) {
  const char *end = text + len;

  if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
    text += 3;
  while (text < end) {
    const char *stop = memchr(text, '\n', (size_t)(end - text));
    size_t size = (size_t)((stop ? stop : end) - text);
    reader->line++;
    if (!profile_read_line(reader, (struct span){text, size}))
      return false;
    text += size + (stop != NULL);
  }
  return true;
}

/* ---- files -------------------------------------------------------------- */

bool profile_parse(struct profile *profile, const char *text, size_t len,
                   const char *name, bool config, struct errmsg *err) {
  struct reader reader = {
      .profile = profile, .name = name, .config = config, .err = err};

  *profile = (struct profile){0};
  if (len > PROFILE_FILE_MAX)
    return errmsg_set(err, "the file is over 1 MiB: is it the right one?");
  if (read_lines(&reader, text, len)) {
    if (reader.found)
      return true;
    errmsg_set(err, "no section \"[%s%s]\": add it, or name another profile",
               config && strcmp(name, "default") != 0 ? "profile " : "", name);
    profile->missing = true;
  }
  profile_fini(profile);
  return false;
}

/* Up to `max` bytes; -1 and errno. */
static ssize_t read_file(const char *file, char *text, size_t max) {
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  size_t len = 0;
  ssize_t got = -1;

  if (fd < 0)
    return -1;
  while (len < max) {
    got = read(fd, text + len, max - len);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    len += (size_t)got;
  }
  int saved = errno;
  close(fd);
  errno = saved;
  return got < 0 ? -1 : (ssize_t)len;
}

bool profile_load(struct profile *profile, const char *file, const char *name,
                  bool config, struct errmsg *err) {
  size_t max = PROFILE_FILE_MAX + 1; /* one more tells that it is too long */
  char *text = malloc(max);
  ssize_t len = text ? read_file(file, text, max) : -1;
  bool done = false;

  *profile = (struct profile){0};
  if (len < 0)
    errmsg_set(err,
               "%s can't be read: %m: name another, or give it to the "
               "gateway's user",
               file);
  else if (profile_parse(profile, text, (size_t)len, name, config, err))
    done = true;
  else
    errmsg_set(err, "%s: %s", file, err->text);
  if (text)
    digest_wipe(text, max);
  free(text);
  return done;
}
