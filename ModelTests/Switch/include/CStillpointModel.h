// What the model checker needs and Swift cannot say: a switch from one stack to another.
#ifndef CSTILLPOINTMODEL_H
#define CSTILLPOINTMODEL_H

#include <stddef.h>
#include <stdint.h>

#endif
