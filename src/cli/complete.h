/* Completion of command lines, answered from the same tables that parse them. No network. */
#ifndef DAVIT_CLI_COMPLETE_H
#define DAVIT_CLI_COMPLETE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends what the last of n words can become: lines "word<TAB>description". A line ":file" or ":dir" asks
 * the shell for names of files or directories. The first word is the program.
 */
void complete_words(const char *const *words, size_t n, struct buf *out);

#endif
