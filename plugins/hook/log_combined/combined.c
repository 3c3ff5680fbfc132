/* SPDX-License-Identifier: MIT
 *
 * A record in Apache's combined format.  Readers take it apart at spaces,
 * brackets and quotes, so none of a client's may look like one of these.
 */
#include "combined.h"

#include "access.h"

static void put_word(struct line *line, const char *word) {
  if (word == NULL || *word == '\0')
    word = "-";
  line_escaped(line, word, true, LINE_SHORT_MAX);
}

static void put_quoted(struct line *line, const char *text) {
  if (text == NULL || *text == '\0')
    text = "-";
  line_text(line, "\"");
  line_escaped(line, text, false, LINE_VALUE_MAX);
  line_text(line, "\"");
}

static void put_request(struct line *line,
                        const struct sluice_request *request) {
  const char *protocol = sluice_request_protocol(request);
  char id[ACCESS_ID_SIZE];
  const char *query = access_query(request, id);
  if (protocol == NULL) { /* the head was refused */
    line_text(line, "\"-\"");
    return;
  }
  line_text(line, "\"");
  line_escaped(line, sluice_request_method(request), true, LINE_SHORT_MAX);
  line_text(line, " ");
  line_escaped(line, sluice_request_path(request), true, LINE_VALUE_MAX);
  if (query != NULL) {
    line_text(line, "?");
    line_escaped(line, query, true, LINE_VALUE_MAX);
  }
  line_text(line, " ");
  line_text(line, protocol);
  line_text(line, "\"");
}

void combined_write(struct line *line, struct line_clock *clock,
                    int64_t now_ms, const struct sluice_request *request,
                    const struct sluice_record *record) {
  char referer[LINE_VALUE_MAX + 1];
  put_word(line, sluice_request_client(request));
  line_text(line, " - ");
  put_word(line, sluice_request_identity(request));
  line_text(line, " [");
  line_clf(line, clock, now_ms);
  line_text(line, "] ");
  put_request(line, request);
  line_text(line, " ");
  line_number(line, (uint64_t)record->status);
  line_text(line, " ");
  if (record->bytes_out == 0)
    line_text(line, "-");
  else
    line_number(line, record->bytes_out);
  line_text(line, " ");
  put_quoted(line, access_referer(request, referer, sizeof referer));
  line_text(line, " ");
  put_quoted(line, sluice_request_header(request, "User-Agent"));
}
