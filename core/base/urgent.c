/* SPDX-License-Identifier: MIT
 *
 * Letters put behind each other without the C library's help, as most of it
 * may hold a lock or allocate.
 */
#include "urgent.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "date.h"

#define LETTERS_MAX (URGENT_MAX - 1) /* and a newline */

static void add_letter(struct urgent *line, char letter) {
  unsigned char c = (unsigned char)letter;
  if (line->len < LETTERS_MAX)
    line->text[line->len++] = c < ' ' || c == 0x7f ? '?' : letter;
}

void urgent_text(struct urgent *line, const char *text) {
  for (; text != NULL && *text != '\0'; text++)
    add_letter(line, *text);
}

static void add_digits(struct urgent *line, uint64_t value, unsigned base,
                       unsigned least) {
  char digits[20];
  unsigned n = 0;
  do
    digits[n++] = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  while (n < least)
    digits[n++] = '0';
  while (n > 0)
    add_letter(line, digits[--n]);
}

void urgent_number(struct urgent *line, uint64_t value) {
  add_digits(line, value, 10, 1);
}

void urgent_hex(struct urgent *line, uint64_t value) {
  urgent_text(line, "0x");
  add_digits(line, value, 16, 1);
}

/* base/date computes the calendar by itself, which is why it may be used. */
void urgent_stamp(struct urgent *line) {
  struct timespec now = {0};
  char date[DATE_ISO_SIZE];
  clock_gettime(CLOCK_REALTIME, &now);
  date_iso(date, now.tv_sec);
  date[strlen("2026-06-14T12:34:56")] = '\0'; /* without the offset */
  urgent_text(line, date);
  urgent_text(line, ".");
  add_digits(line, (uint64_t)now.tv_nsec / 1000000, 10, 3);
  urgent_text(line, "Z");
}

void urgent_write(struct urgent *line) {
  struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
  line->text[line->len++] = '\n';
  if (poll(&ready, 1, 0) == 1) {
    ssize_t written = write(STDERR_FILENO, line->text, line->len);
    (void)written; /* there is nowhere to report it */
  }
}
