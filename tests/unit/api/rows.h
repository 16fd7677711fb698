/* What must hold for the rows of every service. */
#ifndef DAVIT_TESTS_API_ROWS_H
#define DAVIT_TESTS_API_ROWS_H

#include "api/api.h"

/* Fails the running cmocka test with the row's name if one of the service's rows breaks a rule. */
void check_rows(const struct service *s);

/* The same for one row, for tests of the check: NULL, or what is wrong. */
const char *row_problem(const struct service *s, size_t i);

#endif
