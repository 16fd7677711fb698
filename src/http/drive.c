/* Running one transfer to its end without losing sight of the cancel token. */
#include "base/cancel.h"
#include "base/err.h"
#include "http/internal.h"

static int multi_error(CURLMcode mc, davit_err *e)
{
	if (mc == CURLM_OUT_OF_MEMORY)
		return err_nomem(e);
	return err_set(e, DAVIT_EIO, "libcurl: %s", curl_multi_strerror(mc));
}

static CURLcode result_of(CURLM *m, CURL *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(m, &left)))
		if (msg->msg == CURLMSG_DONE && msg->easy_handle == h)
			return msg->data.result;
	return CURLE_OBSOLETE20; /* cannot happen: curl says that nothing runs any more */
}

static int wait_for(const struct http_drive *d, int wait_ms, davit_err *e)
{
	struct curl_waitfd fired = { .fd = cancel_fd(d->cancel), .events = CURL_WAIT_POLLIN };
	CURLMcode mc = curl_multi_poll(d->multi, &fired, d->cancel ? 1 : 0, wait_ms, NULL);

	return mc ? multi_error(mc, e) : 0;
}

int http_drive(const struct http_drive *d, CURLcode *rc, davit_err *e)
{
	for (;;) {
		int running = 0, wait_ms = 0, code = cancel_check(d->cancel, e);
		CURLMcode mc;

		if (code)
			return code;
		mc = curl_multi_perform(d->multi, &running);
		if (mc)
			return multi_error(mc, e);
		if (!running)
			break;
		code = d->tick.fn(d->tick.user, &wait_ms, e);
		if (!code)
			code = wait_for(d, wait_ms, e);
		if (code)
			return code;
	}
	*rc = result_of(d->multi, d->easy);
	return 0;
}
