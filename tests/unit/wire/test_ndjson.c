#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/ndjson.h"

struct got {
	struct buf text; /* documents, each in brackets */
	int fail;
};

static int on_document(void *user, const struct jnode *j, davit_err *e)
{
	struct got *got = user;

	buf_puts(&got->text, "<");
	assert_int_equal(json_write(j, &got->text, e), 0);
	buf_puts(&got->text, ">");
	return got->fail;
}

/* Feeds text in pieces of at most step bytes; the result of the first failure or of the end. */
static int run(const char *text, size_t step, struct got *got, davit_err *e)
{
	struct ndjson s = NDJSON_INIT(on_document, got);
	size_t n = strlen(text);
	int r = 0;

	for (size_t i = 0; i < n && !r; i += step)
		r = ndjson_feed(&s, text + i, n - i < step ? n - i : step, e);
	if (!r)
		r = ndjson_end(&s, e);
	ndjson_fini(&s);
	return r;
}

static void finds_documents_in_any_split(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "\r\n\n  ", "" },
		{ "{\"a\":1}\n{\"b\":2}\n", "<{\"a\":1}><{\"b\":2}>" },
		{ "{\"a\":1}{\"b\":2}", "<{\"a\":1}><{\"b\":2}>" },
		{ "{\"a\":{\"b\":[1,{\"c\":2}]}}[]\r\n", "<{\"a\":{\"b\":[1,{\"c\":2}]}}><[]>" },
		{ "{\"a\":\"}\\\"{[\\\\\"}{}", "<{\"a\":\"}\\\"{[\\\\\"}><{}>" },
		{ "{\n \"a\" :\n 1\n}\n", "<{\"a\":1}>" },
		{ "1 true\nnull\"x\"\"y\"2{}3", "<1><true><null><\"x\"><\"y\"><2><{}><3>" },
		{ "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", "<{\"a\":1}><{\"a\":2}>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (size_t step = 1; step < 30; step++) {
			struct got got = { .text = BUF_INIT(1000) };

			assert_int_equal(run(rows[i][0], step, &got, NULL), 0);
			assert_string_equal(buf_str(&got.text), rows[i][1]);
			buf_fini(&got.text);
		}
	}
}

static void a_partial_end_is_an_error(void **state)
{
	static const char *const rows[] = { "{\"a\":1}{", "{\"a\":\"x", "[1,", "{\"a\":1", "\"x\\\"" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct got got = { .text = BUF_INIT(1000) };
		davit_err e = { 0 };

		assert_int_equal(run(rows[i], 100, &got, &e), DAVIT_EPROTO);
		assert_memory_equal(e.msg, "stream ended inside of its document", 35);
		buf_fini(&got.text);
	}
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const rows[] = { "{]",       "}",          "nul ", "{a:1}", "[1}",
					    "<html>\n", "{\"a\":01}", "1.\n", "-" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (size_t step = 1; step < 9; step += 7) {
			struct got got = { .text = BUF_INIT(1000) };
			davit_err e = { 0 };

			assert_int_equal(run(rows[i], step, &got, &e), DAVIT_EPROTO);
			assert_memory_equal(e.msg, "document 1 of the stream: ", 26);
			buf_fini(&got.text);
		}
	}
}

static void keeps_its_limits(void **state)
{
	struct got got = { .text = BUF_INIT(100) };
	struct ndjson s = NDJSON_INIT(on_document, &got);
	char *big = malloc(LIMIT_NDJSON_LINE + 2);
	char deep[LIMIT_JSON_DEPTH * 2 + 3] = "";

	(void)state;
	memset(big, 'x', LIMIT_NDJSON_LINE + 2);
	big[0] = '"';
	assert_int_equal(ndjson_feed(&s, big, LIMIT_NDJSON_LINE + 1, NULL), DAVIT_ELIMIT);
	ndjson_fini(&s);
	s = (struct ndjson)NDJSON_INIT(on_document, &got);
	big[LIMIT_NDJSON_LINE + 1] = '"';
	assert_int_equal(ndjson_feed(&s, big, LIMIT_NDJSON_LINE + 2, NULL), DAVIT_ELIMIT);
	ndjson_fini(&s);
	free(big);
	memset(deep, '[', LIMIT_JSON_DEPTH + 1);
	memset(deep + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	assert_int_not_equal(run(deep, 1000, &got, NULL), 0);
	buf_fini(&got.text);
}

static void a_callback_ends_it(void **state)
{
	struct got got = { .text = BUF_INIT(100), .fail = DAVIT_ECALLBACK };

	(void)state;
	assert_int_equal(run("{}{}", 100, &got, NULL), DAVIT_ECALLBACK);
	assert_string_equal(buf_str(&got.text), "<{}>");
	buf_fini(&got.text);
}

static void recognises_errors_in_a_stream(void **state)
{
	static const struct {
		const char *text;
		const char *message, *remote; /* NULL: no error */
	} rows[] = {
		{ "{\"status\":\"Pulling\"}", NULL, NULL },
		{ "{\"error\":\"\"}", NULL, NULL },
		{ "{\"error\":null,\"errorDetail\":null}", NULL, NULL },
		{ "[]", NULL, NULL },
		{ "{\"errorDetail\":{\"code\":401,\"message\":\"denied\"},\"error\":\"x\"}", "denied",
		  "401" },
		{ "{\"error\":\"no space\"}", "no space", "" },
		{ "{\"errorDetail\":{}}", "the server reported an error without a message", "" },
		{ "{\"error\":\"x\",\"errorDetail\":{\"code\":\"y\"}}", "x", "" },
		{ "{\"errorDetail\":{\"message\":\"a\\u001bb %s\"}}", "a\\x1bb %s", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		davit_err e = { 0 };
		struct jnode *j;
		int r;

		assert_int_equal(json_parse(rows[i].text, strlen(rows[i].text), &j, NULL), 0);
		r = ndjson_remote_error(j, &e);
		assert_int_equal(r, rows[i].message ? DAVIT_EREMOTE : 0);
		assert_int_equal(ndjson_remote_error(j, NULL), r);
		assert_string_equal(e.msg, rows[i].message ? rows[i].message : "");
		assert_string_equal(e.remote, rows[i].remote ? rows[i].remote : "");
		json_unref(j);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_documents_in_any_split),
		cmocka_unit_test(a_partial_end_is_an_error),
		cmocka_unit_test(refuses_what_is_no_json),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(a_callback_ends_it),
		cmocka_unit_test(recognises_errors_in_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
