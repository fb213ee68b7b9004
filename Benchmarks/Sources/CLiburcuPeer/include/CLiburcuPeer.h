// liburcu as Debian ships it, inlined by the C compiler: the runtime replaces its fence, the peer must not.
#ifndef CLIBURCUPEER_H
#define CLIBURCUPEER_H

/// Takes the calling thread, which is a registered and online reader, offline and online, `pairs` times.
void liburcu_peer_offline_online(long pairs);

#endif
