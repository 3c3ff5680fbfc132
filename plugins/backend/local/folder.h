/* SPDX-License-Identifier: MIT
 *
 * Folders of the file system: made and walked.
 */
#ifndef LOCAL_FOLDER_H
#define LOCAL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_TEXT 512

/* Opens it, after making it with mode 0700 when it isn't there; -1, errno. */
int folder_make(int parent, const char *name);
/* A file of these bytes, mode 0600, under that name: after a crash there is
 * none or a whole one.  False, errno. */
bool folder_put(int folder, const char *name, const void *data, size_t len);
/* Explains `error` to a person: " (NAME belongs to user X, but the gateway
 * runs as user Y)" where that may be why, else "".  Returns the text. */
const char *folder_owner(char text[FOLDER_TEXT], int folder, const char *name,
                         int error);
/* Calls each() for every name but . and .. until it returns false.  False, and
 * errno, when the folder can't be read to its end. */
bool folder_walk(int folder,
                 bool (*each)(void *arg, int folder, const char *name),
                 void *arg);

#endif
