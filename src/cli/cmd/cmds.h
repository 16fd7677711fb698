/* The tables of commands; each ends with a row without path. */
#ifndef DAVIT_CLI_CMD_CMDS_H
#define DAVIT_CLI_CMD_CMDS_H

#include "cli/cmd.h"

extern const struct cmd completion_cmds[];
extern const struct cmd endpoints_cmds[];
extern const struct cmd help_cmds[];
extern const struct cmd man_cmds[];
extern const struct cmd registry_alias_cmds[];
extern const struct cmd registry_auth_cmds[];
extern const struct cmd registry_blob_cmds[];
extern const struct cmd registry_cmds[];
extern const struct cmd registry_list_cmds[];
extern const struct cmd registry_manifest_cmds[];
extern const struct cmd version_cmds[];

#endif
