/* SPDX-License-Identifier: MIT
 *
 * Pages of ListObjectsV2, one after the other; empty ones that aren't the last
 * are passed over.
 */
#include "listing.h"

#include <stdio.h>

#define EMPTY_PAGES 16 /* in a row, before it counts as broken */
#define PAGE_MAX 1000
#define TOKEN_MAX 8192

static void listing_next_page(struct s3_listing *listing);

static bool listing_on_key(void *arg, const struct xml_object *object) {
  struct s3_listing *listing = arg;
  buf_clear(&listing->last);
  buf_adds(&listing->last, object->key);
  if (listing->enough)
    return true;
  listing->found++;
  listing->enough = !listing->key(listing->arg, object->key) ||
                    listing->found == listing->max;
  return true;
}

static void listing_end_of_list(struct s3_listing *listing,
                                enum sluice_status status, const char *why) {
  buf_fini(&listing->token);
  buf_fini(&listing->last);
  listing->done(listing->arg, status, why);
}

/* The token, or where it can't be read, the last key. */
static bool listing_keep_next(struct s3_listing *listing,
                              const struct xml_result *page) {
  buf_clear(&listing->token);
  return page->next_token[0] != '\0'
             ? buf_adds(&listing->token, page->next_token)
             : listing->last.len > 0;
}

static void listing_on_page(void *arg, struct s3_call *call,
                            const struct s3_answer *answer) {
  struct s3_listing *listing = arg;
  (void)call;
  listing->call = NULL;
  if (answer->status != SLUICE_OK) { /* a list is always there */
    listing_end_of_list(listing,
                        answer->status == SLUICE_ENOENT ? SLUICE_EUPSTREAM
                                                        : answer->status,
                        answer->why);
    return;
  }
  listing->empty = listing->found == listing->before ? listing->empty + 1 : 0;
  listing->before = listing->found;
  if (listing->enough || !answer->xml->truncated)
    listing_end_of_list(listing, SLUICE_OK, NULL);
  else if (listing->empty == EMPTY_PAGES ||
           !listing_keep_next(listing, answer->xml))
    listing_end_of_list(listing, SLUICE_EUPSTREAM,
                        "the service's list has no end");
  else
    listing_next_page(listing);
}

static void listing_next_page(struct s3_listing *listing) {
  static const struct s3_events events = {.done = listing_on_page};
  struct s3_request *request = &listing->request;
  *request = (struct s3_request){.op = listing->op,
                                 .method = "GET",
                                 .query = {{"list-type", "2"},
                                           {"encoding-type", "url"},
                                           {"max-keys", listing->max_keys},
                                           {"prefix", listing->prefix}},
                                 .expected = XML_LIST,
                                 .wants_xml = true,
                                 .xml_events = &listing->xml};
  if (listing->token.len > 0)
    request->query[4] =
        (struct sigv4_pair){"continuation-token", listing->token.data};
  else if (listing->last.len > 0)
    request->query[4] = (struct sigv4_pair){"start-after", listing->last.data};
  listing->call = s3_call_start(listing->loop, request, &events, listing);
}

void s3_listing_start(struct s3_listing *listing) {
  buf_init(&listing->token, TOKEN_MAX);
  buf_init(&listing->last, XML_TEXT_MAX);
  listing->found = listing->before = listing->empty = 0;
  listing->enough = false;
  listing->xml = (struct xml_events){.object = listing_on_key, .arg = listing};
  snprintf(listing->max_keys, sizeof listing->max_keys, "%u",
           listing->max == 0 || listing->max > PAGE_MAX ? PAGE_MAX
                                                        : listing->max);
  listing_next_page(listing);
}

void s3_listing_cancel(struct s3_listing *listing) {
  if (listing->call == NULL)
    return;
  s3_call_cancel(listing->call);
  listing->call = NULL;
  buf_fini(&listing->token);
  buf_fini(&listing->last);
}
