#include "CLiburcuPeer.h"

#define _LGPL_SOURCE 1
#include <urcu/urcu-qsbr.h>

void liburcu_peer_offline_online(long pairs) {
  for (long pair = 0; pair < pairs; pair++) {
    urcu_qsbr_thread_offline();
    urcu_qsbr_thread_online();
  }
}
