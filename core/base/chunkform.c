/* SPDX-License-Identifier: MIT
 *
 * The fields by which chunks are known.  Called for each part of a form.
 */
#include "chunkform.h"

#include <stddef.h>
#include <string.h>

#define FIELDS_MAX 2

/* Fields that a widget sends with chunks, and only then; where one alone could
 * be anybody's, both have to be there. */
static const struct {
  const char *widget, *fields[FIELDS_MAX];
} forms[] = {{"Dropzone", {"dzchunkindex"}},
             {"Dropzone", {"dztotalchunkcount"}},
             {"resumable.js", {"resumableChunkNumber"}},
             {"resumable.js", {"resumableTotalChunks"}},
             {"flow.js", {"flowChunkNumber"}},
             {"flow.js", {"flowTotalChunks"}},
             {"Fine Uploader", {"qqpartindex"}},
             {"ng-file-upload", {"_chunkNumber"}},
             {"Plupload", {"chunk", "chunks"}},
             {"simple-uploader.js", {"chunkNumber", "totalChunks"}}};

#define FORMS (sizeof forms / sizeof *forms)

_Static_assert(FORMS *FIELDS_MAX <= 32, "a bit of `seen` for each field");

const char *chunkform_see(struct chunkform *form, const char *name) {
  for (size_t i = 0; i < FORMS; i++) {
    uint32_t wanted = 0;
    for (size_t k = 0; k < FIELDS_MAX && forms[i].fields[k] != NULL; k++) {
      uint32_t bit = (uint32_t)1 << (i * FIELDS_MAX + k);
      wanted |= bit;
      if (strcmp(forms[i].fields[k], name) == 0)
        form->seen |= bit;
    }
    if ((form->seen & wanted) == wanted)
      return forms[i].widget;
  }
  return NULL;
}
