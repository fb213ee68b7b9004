#include "CStillpointModel.h"
