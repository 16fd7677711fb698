/* All tables of commands, in the order in which help shows them. */
#include "cli/cmd/cmds.h"

#include <stddef.h>

const struct cmd *const cmd_tables[] = {
	registry_cmds,
	registry_list_cmds,
	registry_blob_cmds,
	registry_manifest_cmds,
	registry_alias_cmds,
	registry_auth_cmds,
	endpoints_cmds,
	version_cmds,
	completion_cmds,
	help_cmds,
	man_cmds,
	NULL,
};
