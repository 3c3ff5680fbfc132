/* SPDX-License-Identifier: MIT
 *
 * The rights that this configuration's key has at a storage, found by using
 * them on objects of our own below .sluice/doctor/, which are removed again.
 */
#include <stdio.h>
#include <string.h>

#include "doctor.h"

#define LINK_SECONDS 120
#define KEY_SIZE 128

struct trial {
  struct doctor *doctor;
  struct stand stand;
  struct act act;
  char one[KEY_SIZE], two[KEY_SIZE], three[KEY_SIZE];
};

/* An operation's outcome as a step: what it needs is in `advice`. */
static bool step(struct trial *t, const char *name, enum sluice_status status,
                 const char *advice) {
  struct findings *all = &t->doctor->findings;
  bool ok = status == SLUICE_OK;
  if (ok)
    finding_add(all, FINDING_OK, name, NULL, "done");
  else if (status == SLUICE_ENOTSUP)
    finding_add(all, FINDING_SKIP, name, NULL,
                "not offered: such requests are answered with 501");
  else
    finding_add(all, FINDING_FAIL, name, advice, "%s",
                t->act.why[0] == '\0' ? "refused" : t->act.why);
  return ok;
}

static void doctor_storage_read_back(struct trial *t) {
  struct act *act = &t->act;
  const struct act_bytes *bytes = &t->doctor->bytes;
  enum sluice_status status = act_get(act, t->one, 0, bytes->length);
  if (step(t, "get", status, "allow reading (s3:GetObject)") &&
      (act->got_len != bytes->length ||
       memcmp(act->got, bytes->data, bytes->length) != 0))
    finding_add(&t->doctor->findings, FINDING_FAIL, "get",
                "something between changes the bytes: look for a proxy",
                "other bytes came than were put");
  status = act_get(act, t->one, 3, 5);
  if (step(t, "range", status, "allow reading (s3:GetObject)") &&
      (act->got_len != 5 || memcmp(act->got, bytes->data + 3, 5) != 0))
    finding_add(&t->doctor->findings, FINDING_FAIL, "range",
                "the service, or a proxy, has to know Range",
                "other bytes came than were asked for");
}

static void look_at_etag(struct trial *t) {
  struct act *act = &t->act;
  enum sluice_status status = act_head(act, t->one);
  if (!step(t, "head", status, "allow reading (s3:GetObject)"))
    return;
  bool md5 = strcmp(act->etag, t->doctor->bytes.md5) == 0;
  if (doctor_option(t->doctor, "strict_etag") != NULL)
    finding_add(&t->doctor->findings, FINDING_OK, "etag", NULL,
                md5 ? "an ETag is the MD5: strict_etag: true fits"
                    : "an ETag isn't the MD5: strict_etag: false fits");
}

static void doctor_storage_list(struct trial *t) {
  enum sluice_status status = act_list(&t->act, t->doctor->prefix, t->one);
  if (step(t, "list", status, "allow listing of the bucket (s3:ListBucket)") &&
      !t->act.found)
    finding_add(&t->doctor->findings, FINDING_FAIL, "list", NULL,
                "what was put isn't in the list");
}

/* The region and the addressing that the plugin found out are in its link. */
static void look_at_link(struct trial *t, const char *url) {
  struct doctor *d = t->doctor;
  const char *region = doctor_text(d, "region"), *at;
  const char *bucket = doctor_text(d, "bucket");
  char signed_for[64] = "";
  if (region == NULL || (at = strstr(url, "X-Amz-Credential=")) == NULL)
    return;
  for (int i = 0; at != NULL && i < 2; i++) {
    at = strstr(at, "%2F");
    at = at == NULL ? NULL : at + 3;
  }
  if (at != NULL)
    snprintf(signed_for, sizeof signed_for, "%.*s",
             (int)(strcspn(at, "%&") % sizeof signed_for), at);
  if (strcmp(signed_for, region) == 0)
    finding_add(&d->findings, FINDING_OK, "region", NULL, "%s", region);
  else
    finding_add(&d->findings, FINDING_WARN, "region",
                "write the region that the service names",
                "'region' is %s, and the service's is %s", region, signed_for);
  const char *host = strstr(url, "://");
  size_t len = bucket == NULL ? 0 : strlen(bucket);
  bool virtual = host != NULL && len > 0 &&
                 strncmp(host + 3, bucket, len) == 0 && host[3 + len] == '.';
  finding_add(&d->findings, FINDING_OK, "addressing", NULL, "%s",
              virtual ? "virtual: the bucket is a part of the host's name"
                      : "path: the bucket is a part of the path");
}

static void link_to(struct trial *t) {
  struct doctor *d = t->doctor;
  struct act *act = &t->act;
  if (act->backend->plugin->presign == NULL ||
      act->backend->plugin->verify != NULL) {
    finding_add(&d->findings, FINDING_SKIP, "link", NULL,
                "links are the gateway's own, and begin with public_url");
    return;
  }
  if (!step(t, "presign", act_presign(act, t->one, LINK_SECONDS), NULL))
    return;
  look_at_link(t, act->url);
  doctor_fetch(d, "link", act->url, true);
  finding_add(&d->findings, FINDING_OK, "versioning", NULL, "%s",
              d->versioned
                  ? "on: what is replaced or deleted stays and costs until a "
                    "lifecycle rule removes it"
                  : "off");
}

/* Of what the plugin says it decides with a write, none is taken at its
 * word. */
static void conditions(struct trial *t) {
  struct doctor *d = t->doctor;
  struct act *act = &t->act;
  unsigned can = act->backend->abilities;
  enum sluice_status status;
  if ((can & SLUICE_CAN_CREATE) != 0) {
    status = act_put(act, t->one, &d->bytes, true, NULL);
    finding_add(&d->findings,
                status == SLUICE_EEXIST ? FINDING_OK : FINDING_FAIL, "create",
                "set conditional_put: false",
                status == SLUICE_EEXIST
                    ? "a PUT that may only create replaces nothing"
                    : "a PUT that may only create isn't refused where an "
                      "object is");
  }
  if ((can & SLUICE_CAN_REPLACE) != 0) {
    status = act_put(act, t->one, &d->bytes, false,
                     "00000000000000000000000000000000");
    finding_add(
        &d->findings, status == SLUICE_EPRECOND ? FINDING_OK : FINDING_FAIL,
        "if-match", "set conditional_put: false",
        status == SLUICE_EPRECOND ? "a PUT for another ETag replaces nothing"
                                  : "a PUT for another ETag isn't refused");
  }
  if ((can & SLUICE_CAN_REMOVE) != 0) {
    status = act_remove_if(act, t->one, "00000000000000000000000000000000");
    finding_add(
        &d->findings, status == SLUICE_EPRECOND ? FINDING_OK : FINDING_FAIL,
        "delete-if", "set conditional_delete: false",
        status == SLUICE_EPRECOND ? "a DELETE of another ETag removes nothing"
                                  : "a DELETE of another ETag isn't refused");
  }
}

static void remove_all(struct trial *t) {
  struct act *act = &t->act;
  static const char advice[] = "allow deleting (s3:DeleteObject)";
  const char *const two[] = {t->two};
  step(t, "delete", act_remove(act, t->one), advice);
  step(t, "delete-many", act_remove_many(act, two, 1), advice);
  act_remove(act, t->three);
  if (act_head(act, t->one) != SLUICE_ENOENT)
    finding_add(&t->doctor->findings, FINDING_FAIL, "delete", advice,
                "'%s' is still there; remove it by hand", t->one);
}

static void try_all(struct trial *t) {
  struct act *act = &t->act;
  const struct act_bytes *bytes = &t->doctor->bytes;
  if (!step(t, "put", act_put(act, t->one, bytes, false, NULL),
            "allow writing (s3:PutObject)"))
    return;
  look_at_etag(t);
  doctor_storage_read_back(t);
  doctor_storage_list(t);
  step(t, "copy", act_copy(act, t->one, t->two),
       "allow reading and writing (s3:GetObject, s3:PutObject)");
  step(t, "stage", act_stage(act, t->three, bytes),
       "allow uploads in parts (s3:AbortMultipartUpload, "
       "s3:ListMultipartUploadParts) and deleting below .sluice/");
  conditions(t);
  link_to(t);
  remove_all(t);
}

static void trial_keys(struct trial *t) {
  const char *prefix = t->doctor->prefix;
  snprintf(t->one, sizeof t->one, "%sone", prefix);
  snprintf(t->two, sizeof t->two, "%stwo", prefix);
  snprintf(t->three, sizeof t->three, "%sthree", prefix);
}

void doctor_storage(struct doctor *d) {
  struct trial t = {.doctor = d};
  struct errmsg err;
  trial_keys(&t);
  if (!stand_init(&t.stand, d->gateway, &err) ||
      !stand_backend(&t.stand, d->backend, &err)) {
    finding_add(&d->findings, FINDING_FAIL, "start", NULL, "%s", err.text);
  } else {
    finding_add(&d->findings, FINDING_OK, "start", NULL,
                "the storage is there, and takes this key");
    act_init(&t.act, &t.stand, d->backend);
    try_all(&t);
    act_fini(&t.act);
  }
  stand_fini(&t.stand);
}

/* ---- what it could do --------------------------------------------------- */

static const struct {
  const char *option, *offers;
} switches[] = {{"conditional_put",
                 "PUTs under conditions, links with uses and "
                 "Idempotency-Key"},
                {"conditional_delete", "moves, and DELETEs under conditions"}};

static bool honours(struct trial *t, const char *option) {
  struct act *act = &t->act;
  const struct act_bytes *bytes = &t->doctor->bytes;
  const char *other = "00000000000000000000000000000000";
  bool put = strcmp(option, "conditional_put") == 0;
  if (act_put(act, t->one, bytes, false, NULL) != SLUICE_OK)
    return false;
  enum sluice_status status = put ? act_put(act, t->one, bytes, true, NULL)
                                  : act_remove_if(act, t->one, other);
  bool held =
      put ? status == SLUICE_EEXIST
          : status == SLUICE_EPRECOND && act_head(act, t->one) == SLUICE_OK;
  act_remove(act, t->one);
  return held;
}

void doctor_options(struct doctor *d) {
  for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
    const char *option = switches[i].option;
    struct trial t = {.doctor = d};
    struct errmsg err;
    char advice[256];
    if (doctor_option(d, option) == NULL || doctor_bool(d, option, true))
      continue;
    trial_keys(&t);
    doctor_set_bool(d, option, true);
    bool held = stand_init(&t.stand, d->gateway, &err) &&
                stand_backend(&t.stand, d->backend, &err);
    if (held) {
      act_init(&t.act, &t.stand, d->backend);
      held = honours(&t, option);
      act_fini(&t.act);
    }
    stand_fini(&t.stand);
    doctor_set_bool(d, option, false);
    snprintf(advice, sizeof advice, "set %s: true; it gives %s", option,
             switches[i].offers);
    finding_add(&d->findings, held ? FINDING_WARN : FINDING_OK, option,
                held ? advice : NULL, "%s",
                held ? "the service could decide it, and isn't asked to"
                     : "false fits: the service doesn't decide it");
  }
}
