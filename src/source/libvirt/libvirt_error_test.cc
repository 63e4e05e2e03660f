#include "source/libvirt/libvirt_error.h"

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include <cerrno>

namespace virtmeter {
namespace {

Error explained(const std::string& uri, const LibvirtFailure& failure) {
  return explain_connect_failure(failure, uri, *parse_libvirt_uri(uri));
}

// The codes are those libvirt 9.0.0 was seen to give for each situation.
TEST(LibvirtError, SaysThatNoSocketMeansNoDaemon) {
  const Error error =
      explained("qemu:///system", {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ENOENT, "Failed to connect"});
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_EQ(
      error.message,
      "E101 libvirt is not running: tried qemu:///system (/run/libvirt/libvirt-sock-ro): no such socket");
  EXPECT_EQ(error.fix,
            "sudo systemctl start libvirtd.socket libvirtd-ro.socket (newer systems: virtqemud.socket "
            "virtqemud-ro.socket)");
}

TEST(LibvirtError, SaysThatNobodyListens) {
  const Error error =
      explained("qemu:///system", {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ECONNREFUSED, "Failed to connect"});
  EXPECT_NE(error.message.find("nobody listens on the socket"), std::string::npos) << error.message;
}

TEST(LibvirtError, SaysThatAccessIsRefused) {
  const auto check = [](const LibvirtFailure& failure) {
    const Error error = explained("qemu:///system", failure);
    EXPECT_EQ(error.code, Errc::permission);
    EXPECT_EQ(error.message.substr(0, 33), "E102 not allowed to use libvirt: ");
    EXPECT_NE(error.fix.find("polkit"), std::string::npos);
  };
  check({VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, EACCES, "Permission denied"});
  check({VIR_ERR_INTERNAL_ERROR, VIR_FROM_DBUS, -1, "Unable to get system bus connection"});
  check({VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_POLKIT, -1, "authentication unavailable"});
}

TEST(LibvirtError, TellsAMissingCertificateFromAMissingSocket) {
  const Error error = explained(
      "qemu://hv-03/system",
      {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ENOENT, "Cannot read CA certificate '/etc/pki/CA/cacert.pem'"});
  EXPECT_EQ(error.message.substr(0, 37), "E104 TLS to qemu://hv-03/system faile");
  EXPECT_NE(error.fix.find("qemu+ssh://user@hv-03/system"), std::string::npos) << error.fix;
}

TEST(LibvirtError, SaysThatADriverIsNotThere) {
  const Error error =
      explained("xen:///system", {VIR_ERR_NO_CONNECT, 0, -1, "no connection driver available"});
  EXPECT_EQ(error.code, Errc::invalid);
  EXPECT_EQ(error.message, "E103 xen:///system: no connection driver available");
}

TEST(LibvirtError, NamesTheHostOfAFailedRemoteConnection) {
  const Error error = explained("qemu+tcp://hv-03/system", {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ECONNREFUSED,
                                                            "unable to connect to server"});
  EXPECT_EQ(error.message, "E101 no connection to qemu+tcp://hv-03/system: unable to connect to server");
}

TEST(LibvirtError, KnowsWhatAFailedCallMeans) {
  silence_libvirt_errors();
  virInitialize();
  virConnectPtr connection = virConnectOpenReadOnly("test:///default");
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(virDomainLookupByName(connection, "nobody"), nullptr);
  EXPECT_EQ(classify_last_error(), CallFailure::domain_gone);
  const Error error = last_call_error("look up nobody");
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_EQ(error.message.substr(0, 16), "look up nobody: ");
  EXPECT_EQ(virConnectSetKeepAlive(connection, 5, 5), -1);
  EXPECT_EQ(classify_last_error(), CallFailure::unsupported);
  virConnectClose(connection);
}

}  // namespace
}  // namespace virtmeter
