/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file of tokens.  What is made of it can be asked safely; a
 * refusal has one line that says why and where.
 */
#include "codec.h"
#include "tokens.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(const struct tokens *tokens, size_t at) {
  const struct token *token = &tokens->rows[at];
  size_t count = 0;
  assert(tokens_find(tokens, token->hash) == token);
  assert(*token->identity != '\0');
  assert(codec_utf8_valid(token->identity, strlen(token->identity)));
  assert(token->grants.operations <= GRANTS_ALL);
  for (; token->grants.prefixes[count] != NULL; count++)
    assert(grants_prefix_fault(token->grants.prefixes[count]) == NULL);
  assert(count <= GRANTS_PREFIXES_MAX);
  assert(count > 0 || !grants_reach(&token->grants, token->identity, "a"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct errmsg err = {""};
  char *text = malloc(size + 1);
  assert(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  struct tokens *tokens = tokens_parse("f", text, size, &err);
  assert((tokens != NULL) == (*err.text == '\0'));
  assert(strchr(err.text, '\n') == NULL);
  assert(tokens != NULL || strncmp(err.text, "f:", 2) == 0);
  for (size_t i = 0; tokens != NULL && i < tokens->count; i++)
    check_token(tokens, i);
  tokens_free(tokens);
  free(text);
  return 0;
}
