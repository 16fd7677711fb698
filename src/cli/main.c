#include <string.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/personality.h"
#include "cli/sig.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
	const struct personality *p;

	out_init();
	sig_ignore_pipe();
	if (argc < 1)
		return EXIT_USAGE;
	p = personality_find(base_name(argv[0]));
	if (p)
		return p->main(argc, argv);
	p = argc > 1 ? personality_find(argv[1]) : NULL;
	if (p)
		return p->main(argc - 1, argv + 1);
	return cmd_main(argc, argv);
}
