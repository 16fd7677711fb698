#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/cmd/dxf.h"

enum {
	FRAME_MAX = 16 << 10, /* bytes of one frame */
	WIDTH_MAX = 4096,     /* columns that are believed */
	BAR_WIDTH = 10,       /* of the bar where the width of the line is not known */
	BAR_STEPS = 8,        /* shades of one cell of the bar */
	NAME_LEN = 8,         /* characters of the digest that name the bar */
	NO_WIDTH = -1,
};

static const double redraw_s = 0.1; /* least time between two frames */
static const double smoothing = 0.3;

/* Moving average that starts without bias. */
struct average {
	double last, weight;
};

struct dxf_bar {
	enum { BAR_WAITING, BAR_OPEN, BAR_DONE } state;
	char name[NAME_LEN * 4 + 1];
	long width;   /* columns of a line; 0: figures only, NO_WIDTH: not known */
	int64_t total; /* -1: not known */
	int64_t n, drawn_n;
	double start, drawn;  /* seconds */
	struct average dn, dt;
	size_t last_len; /* columns of the frame before */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void average_add(struct average *a, double x)
{
	a->last = smoothing * x + (1 - smoothing) * a->last;
	a->weight = smoothing + (1 - smoothing) * a->weight;
}

static double average_get(const struct average *a)
{
	return a->weight > 0 ? a->last / a->weight : 0;
}

static bool env_long(const char *name, long *out)
{
	const char *s = getenv(name);
	char *end;

	errno = 0;
	*out = s ? strtol(s, &end, 10) : 0;
	return s && end != s && !*end && !errno;
}

/* As tqdm: the terminal's columns (0 if it has no size), else COLUMNS if LINES is there too. */
static long line_width(void)
{
	struct winsize w;
	long width, lines;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &w))
		return w.ws_col;
	if (!env_long("COLUMNS", &width) || !env_long("LINES", &lines) || width < 1)
		return NO_WIDTH;
	return width - 1 > WIDTH_MAX ? WIDTH_MAX : width - 1;
}

struct dxf_bar *dxf_bar_new(void)
{
	const char *wish = getenv("DXF_PROGRESS");
	bool never = wish && !strcmp(wish, "0"), always = wish && !strcmp(wish, "1");
	struct dxf_bar *b = never || (!always && !isatty(STDERR_FILENO)) ? NULL : calloc(1, sizeof *b);

	if (b)
		b->width = line_width();
	return b;
}

static void add_time(struct buf *out, double seconds)
{
	int64_t s = (int64_t)seconds;

	if (s >= 3600)
		buf_printf(out, "%" PRId64 ":", s / 3600);
	buf_printf(out, "%02d:%02d", (int)(s / 60 % 60), (int)(s % 60));
}

static void add_rate(struct buf *out, double rate)
{
	if (rate <= 0)
		buf_puts(out, "?it/s");
	else if (rate < 1)
		buf_printf(out, "%5.2fs/it", 1 / rate);
	else
		buf_printf(out, "%5.2fit/s", rate);
}

/* "| 5/10 [00:01<00:01,  5.00it/s]", or for an unknown total "5it [00:01,  5.00it/s]". */
static void add_figures(struct buf *out, const struct dxf_bar *b, bool total, double elapsed, double rate)
{
	if (total)
		buf_printf(out, "| %" PRId64 "/%" PRId64 " [", b->n, b->total);
	else
		buf_printf(out, "%" PRId64 "it [", b->n);
	add_time(out, elapsed);
	if (total && rate > 0) {
		buf_putc(out, '<');
		add_time(out, (double)(b->total - b->n) / rate);
	} else if (total) {
		buf_puts(out, "<?");
	}
	buf_puts(out, ", ");
	add_rate(out, rate);
	buf_putc(out, ']');
}

static void add_bar(struct buf *out, double part, long width)
{
	static const char shades[BAR_STEPS + 1][4] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
	long steps = (long)(part * (double)width * BAR_STEPS);

	for (long i = 0; i < width; i++, steps -= BAR_STEPS)
		buf_puts(out, shades[steps <= 0 ? 0 : steps >= BAR_STEPS ? BAR_STEPS : steps]);
}

/* Columns of text, each character taken as one. */
static size_t count_chars(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Length in bytes of the first n characters. */
static size_t cut_chars(const char *s, size_t n)
{
	size_t i = 0;

	for (; s[i]; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80 && !n--)
			break;
	return i;
}

/* Appends a frame to the empty buffer; returns how many of its bytes fit the line. */
static size_t add_frame(struct buf *out, const struct dxf_bar *b, double elapsed, double rate)
{
	AUTO_BUF struct buf figures = BUF_INIT(FRAME_MAX);
	bool total = b->total > 0 && b->n <= b->total;
	double part = total ? (double)b->n / (double)b->total : 0;
	long room;

	buf_printf(out, "%s: ", b->name);
	add_figures(&figures, b, total, elapsed, rate);
	if (!total) {
		buf_puts(out, buf_str(&figures));
		return out->len;
	}
	buf_printf(out, "%3.0f%%", part * 100);
	if (!b->width) {
		buf_puts(out, buf_str(&figures) + 1);
		return out->len;
	}
	buf_putc(out, '|');
	room = b->width - (long)count_chars(buf_str(out)) - (long)figures.len;
	add_bar(out, part, b->width == NO_WIDTH ? BAR_WIDTH : room > 1 ? room : 1);
	buf_puts(out, buf_str(&figures));
	return b->width == NO_WIDTH ? out->len : cut_chars(buf_str(out), (size_t)b->width);
}

/* Draws over the frame before. A display that cannot be written is no reason to fail. */
static void draw(struct dxf_bar *b, double rate, const char *end)
{
	AUTO_BUF struct buf frame = BUF_INIT(FRAME_MAX), out = BUF_INIT(2 * FRAME_MAX);
	double elapsed = b->start > 0 ? now() - b->start : 0;
	size_t len;

	if (rate <= 0 && elapsed > 0)
		rate = (double)b->n / elapsed;
	len = add_frame(&frame, b, elapsed, rate);
	buf_putc(&out, '\r');
	buf_add(&out, buf_str(&frame), len);
	len = count_chars(buf_str(&out)) - 1;
	for (size_t i = len; i < b->last_len; i++)
		buf_putc(&out, ' ');
	b->last_len = len;
	buf_puts(&out, end);
	fd_write_all(STDERR_FILENO, buf_str(&out), out.len);
}

static void bar_open(struct dxf_bar *b, const davit_progress_info *info)
{
	long width = b->width;
	size_t n = cut_chars(info->what, NAME_LEN);

	*b = (struct dxf_bar){ .state = BAR_OPEN, .width = width, .total = info->total };
	if (n < sizeof b->name)
		memcpy(b->name, info->what, n);
	draw(b, 0, "");
	b->start = b->drawn = now();
}

void dxf_bar_end(struct dxf_bar *b)
{
	if (b && b->state == BAR_OPEN)
		draw(b, 0, "\n");
	if (b)
		b->state = BAR_DONE;
}

static int bar_update(void *user, const davit_progress_info *info)
{
	struct dxf_bar *b = user;
	double t = now();

	if (b->state == BAR_DONE)
		return 0;
	if (b->state == BAR_WAITING)
		bar_open(b, info);
	b->n = (int64_t)info->done;
	if (b->total >= 0 && b->n >= b->total) {
		dxf_bar_end(b);
	} else if (t - b->drawn >= redraw_s && b->n > b->drawn_n) {
		average_add(&b->dn, (double)(b->n - b->drawn_n));
		average_add(&b->dt, t - b->drawn);
		draw(b, average_get(&b->dn) / average_get(&b->dt), "");
		b->drawn = t;
		b->drawn_n = b->n;
	}
	return 0;
}

davit_progress dxf_bar_begin(struct dxf_bar *b)
{
	if (!b)
		return (davit_progress){ NULL, NULL };
	b->state = BAR_WAITING;
	return (davit_progress){ bar_update, b };
}

void dxf_bar_free(struct dxf_bar *b)
{
	dxf_bar_end(b);
	free(b);
}
