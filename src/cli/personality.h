/*
 * Other programs that live in this executable: it acts as one of them when it is called by that name, or as
 * "davit NAME …".
 */
#ifndef DAVIT_CLI_PERSONALITY_H
#define DAVIT_CLI_PERSONALITY_H

struct personality {
	const char *name; /* NULL ends the table */
	int (*main)(int argc, char **argv); /* as main(); argv[0] is the name */
	const char *summary;
};

extern const struct personality personalities[];

/* The entry for a program name without directory, or NULL. */
const struct personality *personality_find(const char *name);

/* python-dxf's command. */
int dxf_main(int argc, char **argv);

#endif
