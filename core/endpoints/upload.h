/* SPDX-License-Identifier: MIT
 *
 * An upload's inside, for its two halves: upload.c reads a form, or rawbody.c
 * a body that is the file; upload_store.c gives the bytes to the backend, and
 * upload_answer.c answers.
 */
#ifndef ENDPOINTS_UPLOAD_H
#define ENDPOINTS_UPLOAD_H

#include <jansson.h>

#include "chunkform.h"
#include "exchange.h"
#include "expiry.h"
#include "formdata.h"
#include "key.h"
#include "linkcommit.h"
#include "md5.h"
#include "mime.h"
#include "precondition.h"
#include "presign.h"
#include "updigest.h"
#include "uploads.h"

#define UPLOAD_CHUNK (128 * 1024)
#define UPLOAD_TEXT_MAX 65536 /* bytes of a text field */
#define UPLOAD_NOBODY "anonymous"
#define UPLOAD_ETAG_MAX 255 /* bytes, without quotes */

enum upload_field {
  UPLOAD_IGNORED,
  UPLOAD_PREFIX,
  UPLOAD_SHA256,
  UPLOAD_EXPIRY,
  UPLOAD_FILE,
  UPLOAD_SECOND /* a file may follow the first: not a byte of it */
};

enum upload_body {
  UPLOAD_READ,   /* as it comes */
  UPLOAD_PARSED, /* the final boundary was seen */
  UPLOAD_WHOLE   /* it is over, and fine */
};

enum upload_backend {
  UPLOAD_UNASKED,     /* it knows nothing of the file */
  UPLOAD_ADMITTING,   /* so; hooks are asked about the key that it is told */
  UPLOAD_ASKED,       /* to take it */
  UPLOAD_WANTS,       /* a chunk */
  UPLOAD_SHOWS,       /* the same, and hooks see the chunk first */
  UPLOAD_BORROWS,     /* one */
  UPLOAD_BORROWS_END, /* the last one */
  UPLOAD_REREADS,     /* all of it, which it gives back once */
  UPLOAD_TOOK,        /* all of it, to be committed */
  UPLOAD_OVER         /* it has ended, and wants nothing more */
};

enum upload_hash {
  UPLOAD_HASHED,
  UPLOAD_HASHING, /* a thread of the pool has a buffer, and the digest */
  UPLOAD_ORPHANED /* so it does, and frees the upload when it is done */
};

struct upload_buffer {
  char *data;
  size_t len, room;
};

struct upload {
  struct exchange *ex;             /* NULL: gone */
  void (*pump)(struct exchange *); /* there is room for more of the file */
  /* NULL, or: gives the answer whose body is this, which it takes. */
  void (*answer)(struct exchange *, json_t *document);
  struct formdata *form;
  struct md5 md5;
  struct reread *reread;    /* NULL: it needn't be */
  struct updigest *digest;  /* NULL: nobody asks for any */
  struct idempotency *once; /* NULL: as often as it comes */
  struct buf prefix;        /* as sent */
  enum upload_field field;
  size_t text_len;
  struct chunkform chunkform;
  bool has_chooser; /* a part of the name `file` had a file name */
  unsigned texts;   /* parts of that name that had none */
  bool has_prefix;
  bool has_digest; /* the field sha256, as sent: */
  char digest_text[UPDIGEST_HEX + 1];
  bool has_expiry; /* the field expire_after, as sent: */
  char expiry_text[EXPIRY_TEXT_SIZE];
  bool lent; /* bytes of the file, to the backend */
  enum upload_body body;

  struct upload_buffer buffers[2];
  size_t filling; /* the one that isn't lent, or will be next */
  enum upload_backend backend;
  enum upload_hash hash;
  struct uploads_job job;
  uint64_t size;
  size_t window; /* of the body, as wide as it is charged for */
  size_t grown;  /* charged beyond what it began with */

  char key_prefix[KEY_MAX + 1], key[KEY_MAX + 1];
  bool by_key;                     /* the client named the key */
  char filename[KEY_NAME_MAX + 1]; /* "": by_key alone, the key's end */
  char type[MIME_MAX + 1];
  char uploader[REQUEST_IDENTITY_MAX + 1], md5_hex[2 * MD5_LEN + 1];
  struct sluice_pair user[INTENT_PAIRS];
  int64_t life_s;    /* that its client wishes for its object; 0: any */
  int64_t expires_s; /* the object's end; 0: none */
  char expires[EXPIRY_TEXT_SIZE];   /* the same as it is stored; "": none */
  struct expirynote *note;          /* that is being written of it, or NULL */
  struct intent *intent;            /* of hooks; NULL: none were asked yet */
  void (*asked)(struct exchange *); /* goes on once they were */
  void (*seen)(struct exchange *);  /* the same, of a buffer */
  bool (*make_key)(struct exchange *); /* of another prefix; or NULL */
  bool showing;                        /* they are, in this very call */
  bool is_bound;                       /* its key was told, and stays */
  int64_t length; /* without a pump: of all its requests; -1: unknown */
  struct sluice_object object;   /* what is committed */
  struct presign_ask link;       /* for the answer */
  struct linkcommit by_link;     /* of one that came by a link */
  enum sluice_status failure;    /* of its commit */
  bool mistyped;                 /* the client's type is none */
  struct precondition condition; /* by_key: as the request says it */
  bool only_new;                 /* by_key: nothing may be there */
  char if_match[UPLOAD_ETAG_MAX +
                1]; /* by_key: what has to be there; "": any */
  bool was_there;   /* by_key: an object was */
  bool was_over;    /* by_key: one was whose moment had passed, of `etag` */
  char over_md5[2 * MD5_LEN + 1]; /* of its bytes; "": unknown */
  bool takes_over;                /* replaces that one, where none is there */
  char etag[UPLOAD_ETAG_MAX + 1]; /* of what was stored; "": unknown */
};

/* Of a struct that begins with one and is all zeros. */
void upload_init(struct upload *, struct exchange *);
/* The exchange's work from now on, in memory that was charged with it. */
struct upload *upload_new(struct exchange *, void (*pump)(struct exchange *));

/* The type that is stored: as said, in one of the shapes that clients write,
 * or, with NULL or what is none, by the name. */
void upload_choose_type(struct exchange *, const char *said, const char *name);
/* Is it a type that the link takes by which the upload came?  False when it
 * was answered with 415. */
bool upload_takes_type(
    const struct exchange *); /* the link, if there is one */
bool upload_check_type(struct exchange *);
/* Reads who uploads: who made the link by which it came; else as a hook
 * established; without any that guards, as the client says.  False when that
 * was refused. */
bool upload_read_uploader(struct exchange *);
/* The same of any request.  NULL: nobody is known, or, with *refused, it was
 * answered. */
const char *upload_who(struct exchange *, bool *refused);
/* So many bytes may it have. */
uint64_t upload_max(const struct exchange *);
/* Makes upload->key_prefix of upload->prefix; false when that was answered. */
bool upload_read_prefix(struct exchange *);
/* Answers with 413. */
void upload_too_large(struct exchange *);

/* Notes a backend's word on the object that was stored, or that is there. */
void upload_note_meta(struct upload *, const struct sluice_meta *);

/* Asks for the link, then answers: the object is stored, as ex->key. */
void upload_answer(struct exchange *);
/* Its Location: where it is downloaded. */
void upload_say_location(struct exchange *);
/* The SHA-256 in hex that is kept with the object; NULL: none is. */
const char *upload_sha256(const struct upload *);
/* Makes upload->key, which nobody has; false: answered. */
bool upload_make_key(struct exchange *);
/* Its metadata, in upload->user. */
const struct sluice_pair *upload_describe(struct upload *);

/* Charges what an upload begins with; false when that was answered. */
bool upload_reserve(struct exchange *);
/* Bytes that the buffer which is filled still takes. */
size_t upload_room(const struct upload *);
/* More room in the buffer that is filled, as long as the body may need it and
 * memory lasts. */
bool upload_grow(struct exchange *);
/* A part begins that may be the file: its bytes have a buffer. */
void upload_begin(struct exchange *);
/* The buffer that is filled has memory. */
void upload_give_room(struct exchange *);
/* It is the file: the backend is asked to take it.  False when it was
 * answered. */
bool upload_open(struct exchange *);
/* Asks it: the object is what it is told of it; NULL: nothing. */
void upload_ask(struct exchange *, const struct sluice_object *);
/* Asks hooks about upload->key, then goes on. */
void upload_check_key(struct exchange *, void (*then)(struct exchange *));
/* As it is committed; its length and MD5 may be unknown yet. */
void upload_name_object(struct upload *, const char *key);
/* Shows hooks a buffer where the backend waits for one, and lends it, or
 * commits after the last: it may be answered then. */
void upload_push(struct exchange *);

#endif
