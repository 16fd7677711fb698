/*
 * Lists the aliases (tags) of a repository, with the credentials that `docker login` has stored.
 *
 * Usage: list_aliases HOST REPOSITORY
 *
 *   cc list_aliases.c $(pkg-config --cflags --libs davit) -o list_aliases
 *   ./list_aliases registry.example.com fred/datalogger
 */
#include <stdio.h>

#include <davit/davit.h>

/* Each page as it comes. */
static int print_page(void *user, const davit_strv *names)
{
	(void)user;
	for (size_t i = 0; i < names->n; i++)
		puts(names->v[i]);
	return 0;
}

static int list(const char *host, const char *repo, const davit_credentials *login, davit_err *err)
{
	const davit_registry_opts *opts = DAVIT_OPTS(davit_registry_opts, .username = login->username,
						     .password = login->password,
						     .identity_token = login->identity_token,
						     .token = login->registry_token);
	const davit_registry_list_opts *paging = DAVIT_OPTS(davit_registry_list_opts, .page = print_page);
	davit_registry *registry;
	davit_registry_list *names;
	int rc = davit_registry_open(host, opts, &registry, err);

	if (rc)
		return rc;
	rc = davit_registry_tags(registry, repo, paging, &names, err);
	if (!rc)
		davit_reply_free(names);
	davit_registry_free(registry);
	return rc;
}

int main(int argc, char **argv)
{
	davit_credentials *login;
	davit_err err = { 0 };
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: %s HOST[:PORT] REPOSITORY\n", argv[0]);
		return 2;
	}
	/* Looks into ~/.docker/config.json and the other usual places, and asks credential helpers. */
	rc = davit_credentials_find(argv[1], NULL, &login, &err);
	if (!rc) {
		rc = list(argv[1], argv[2], login, &err);
		davit_credentials_free(login);
	}
	if (rc)
		fprintf(stderr, "%s: %s\n", argv[0], err.msg);
	return rc ? 1 : 0;
}
