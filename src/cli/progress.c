#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cli/text.h"
#include "cli/tty.h"

enum {
	ROWS_MAX = 32,       /* transfers at the same time; more are not shown */
	NAME_MAX_BYTES = 48, /* of the name of a transfer */
	REDRAW_MS = 100,
	LINE_MS = 5000,
	SAMPLE_MS = 500,     /* a rate is computed over at least this time */
	BAR_MAX = 40,
	BAR_MIN = 8,
	WIDE_COLUMNS = 100,
	TAIL_RESERVE = 48,   /* columns of the amounts */
	TEXT_MAX = 64 << 10, /* one redraw */
};

struct row {
	char name[NAME_MAX_BYTES + 1];
	uint64_t done;
	int64_t total;        /* -1: unknown */
	int64_t start;        /* ms */
	int64_t sample_at;    /* of the last rate */
	uint64_t sample_done;
	double rate;          /* bytes per second, smoothed */
	int64_t line_at;      /* when the last plain line was printed */
};

struct progress {
	struct progress_config config;
	struct row row[ROWS_MAX];
	size_t n;
	size_t drawn;         /* lines on the screen that belong to us */
	int64_t drawn_at;
	struct buf finished;  /* lines that stay, to be drawn above the bars */
};

struct progress *progress_new_config(const struct progress_config *config)
{
	struct progress *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->config = *config;
	p->finished = (struct buf)BUF_INIT(TEXT_MAX);
	p->drawn_at = INT64_MIN / 2;
	return p;
}

struct progress *progress_new(int fd)
{
	return progress_new_config(&(struct progress_config){
		.fd = fd, .bars = tty_is_smart(fd), .now = clock_mono_ms });
}

void text_time(int64_t seconds, struct buf *out)
{
	int64_t h = seconds / 3600;

	if (h)
		buf_printf(out, "%lld:%02d:%02d", (long long)h, (int)(seconds / 60 % 60),
			   (int)(seconds % 60));
	else
		buf_printf(out, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

/* Digests keep their first 12 digits, other names are cut in front: file names differ at their end. */
static void short_name(const char *what, char out[NAME_MAX_BYTES + 1])
{
	struct buf b = BUF_INIT(4 * DAVIT_ERR_MSG_MAX);
	const char *colon = strchr(what, ':');
	size_t len = strlen(what);
	const char *text;

	if (colon && strspn(colon + 1, "0123456789abcdef") == strlen(colon + 1) && strlen(colon + 1) >= 64)
		len = (size_t)(colon - what) + 1 + 12;
	text_escape(what, len, &b);
	text = buf_str(&b);
	if (b.len > NAME_MAX_BYTES) {
		text += b.len - NAME_MAX_BYTES;
		while (((unsigned char)*text & 0xc0) == 0x80)
			text++;
	}
	memcpy(out, text, strlen(text) + 1);
	buf_fini(&b);
}

static double rate_of(const struct row *r, int64_t now)
{
	if (r->rate > 0)
		return r->rate;
	return now > r->start ? (double)r->done * 1000 / (double)(now - r->start) : 0;
}

/* "5.0 MiB of 10.0 MiB, 2.0 MiB/s, 0:03 left"; brief: without the total. */
static void amounts(const struct row *r, int64_t now, bool brief, struct buf *out)
{
	bool complete = r->total >= 0 && r->done == (uint64_t)r->total;
	double rate = complete && now > r->start ? (double)r->done * 1000 / (double)(now - r->start) :
						   rate_of(r, now);

	text_size((int64_t)r->done, out);
	if (r->total >= 0 && !complete && !brief) {
		buf_puts(out, " of ");
		text_size(r->total, out);
	}
	if (rate >= 1 && rate < 1e18) {
		buf_puts(out, ", ");
		text_size((int64_t)rate, out);
		buf_puts(out, "/s");
	}
	if (complete) {
		buf_puts(out, ", done in ");
		text_time((now - r->start + 999) / 1000, out);
	} else if (r->total >= 0 && rate >= 1) {
		double left = ((double)r->total - (double)r->done) / rate;

		buf_puts(out, ", ");
		text_time(left < 359999 ? (int64_t)left + 1 : 359999, out);
		buf_puts(out, " left");
	}
}

/* Of a transfer whose total is known and not 0. */
static int percent(const struct row *r)
{
	double part = (double)r->done / (double)r->total;

	return part >= 1 ? 100 : (int)(part * 100);
}

/* "[=====>    ]" of room columns, or nothing if that is too little. */
static void bar(const struct row *r, size_t room, struct buf *out)
{
	size_t inner = room > BAR_MAX + 3 ? BAR_MAX : room - 3;
	size_t full = (size_t)percent(r) * inner / 100;

	if (room < BAR_MIN + 3)
		return;
	buf_puts(out, " [");
	for (size_t i = 0; i < inner; i++)
		buf_putc(out, i < full ? '=' : i == full ? '>' : ' ');
	buf_putc(out, ']');
}

/* "name  45% [=====>    ] amounts"; what there is no room for is left out, as a line that wraps would break
 * the counting of lines. */
static void bar_line(const struct progress *p, const struct row *r, int64_t now, struct buf *out)
{
	size_t columns = p->config.columns ? p->config.columns : tty_columns(p->config.fd);
	size_t used = text_width(r->name) + sizeof " 100%  "; /* the last column stays free */
	struct buf tail = BUF_INIT(256);
	size_t reserve;

	amounts(r, now, false, &tail);
	if (used + tail.len > columns) {
		buf_clear(&tail);
		amounts(r, now, true, &tail);
	}
	buf_puts(out, r->name);
	if (r->total > 0)
		buf_printf(out, " %3d%%", percent(r));
	/* On a wide terminal the bar keeps its length while numbers grow. */
	reserve = columns >= WIDE_COLUMNS && tail.len < TAIL_RESERVE ? TAIL_RESERVE : tail.len;
	if (r->total > 0 && used + reserve < columns)
		bar(r, columns - used - reserve, out);
	if (used + tail.len <= columns) {
		buf_puts(out, "  ");
		buf_puts(out, buf_str(&tail));
	}
	buf_fini(&tail);
}

static void redraw(struct progress *p, int64_t now)
{
	struct buf out = BUF_INIT(TEXT_MAX);

	if (p->drawn)
		buf_printf(&out, "\x1b[%zuA\r", p->drawn);
	buf_add(&out, buf_str(&p->finished), p->finished.len);
	for (size_t i = 0; i < p->n; i++) {
		bar_line(p, &p->row[i], now, &out);
		buf_puts(&out, "\x1b[K\n");
	}
	buf_puts(&out, "\x1b[J");
	fd_write_all(p->config.fd, buf_str(&out), out.len);
	buf_fini(&out);
	buf_clear(&p->finished);
	p->drawn = p->n;
	p->drawn_at = now;
}

static void plain_line(const struct progress *p, struct row *r, int64_t now)
{
	struct buf out = BUF_INIT(1024);

	buf_printf(&out, "%s: ", r->name);
	if (r->total > 0)
		buf_printf(&out, "%d%%, ", percent(r));
	amounts(r, now, false, &out);
	buf_putc(&out, '\n');
	fd_write_all(p->config.fd, buf_str(&out), out.len);
	buf_fini(&out);
	r->line_at = now;
}

static struct row *row_of(struct progress *p, const char *what, int64_t now)
{
	char name[NAME_MAX_BYTES + 1];
	struct row *r;

	short_name(what, name);
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->row[i].name, name))
			return &p->row[i];
	if (p->n == ROWS_MAX)
		return NULL;
	r = &p->row[p->n++];
	*r = (struct row){ .total = -1, .start = now, .sample_at = now, .line_at = now };
	memcpy(r->name, name, sizeof name);
	return r;
}

static void sample(struct row *r, int64_t now)
{
	double fresh;

	if (r->done < r->sample_done) {
		/* It began again after a broken connection. */
		r->sample_done = r->done;
		r->sample_at = now;
	}
	if (now - r->sample_at < SAMPLE_MS)
		return;
	fresh = (double)(r->done - r->sample_done) * 1000 / (double)(now - r->sample_at);
	r->rate = r->rate > 0 ? r->rate * 0.7 + fresh * 0.3 : fresh;
	r->sample_at = now;
	r->sample_done = r->done;
}

static void drop(struct progress *p, struct row *r)
{
	size_t i = (size_t)(r - p->row);

	memmove(r, r + 1, (p->n - i - 1) * sizeof *r);
	p->n--;
}

/* A finished transfer leaves its last line behind. */
static void finish(struct progress *p, struct row *r, int64_t now)
{
	if (p->config.bars) {
		bar_line(p, r, now, &p->finished);
		buf_puts(&p->finished, "\x1b[K\n");
		drop(p, r);
		redraw(p, now);
		return;
	}
	/* Short transfers say nothing at all. */
	if (r->line_at != r->start || now - r->start >= LINE_MS)
		plain_line(p, r, now);
	drop(p, r);
}

static int update(void *user, const davit_progress_info *info)
{
	struct progress *p = user;
	int64_t now = p->config.now();
	struct row *r = row_of(p, info->what, now);

	if (!r)
		return 0;
	r->done = info->done;
	r->total = info->total;
	sample(r, now);
	if (r->total >= 0 && r->done == (uint64_t)r->total)
		finish(p, r, now);
	else if (p->config.bars && now - p->drawn_at >= REDRAW_MS)
		redraw(p, now);
	else if (!p->config.bars && now - r->line_at >= LINE_MS)
		plain_line(p, r, now);
	return 0;
}

davit_progress progress_callback(struct progress *p)
{
	return p ? (davit_progress){ .update = update, .user = p } : (davit_progress){ NULL, NULL };
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	if (p->config.bars && p->n)
		redraw(p, p->config.now());
	buf_fini(&p->finished);
	free(p);
}
