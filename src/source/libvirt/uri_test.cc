#include "source/libvirt/uri.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(LibvirtUri, SplitsTheUsualForms) {
  const auto check = [](std::string_view text, std::string_view driver, std::string_view transport,
                        std::string_view host, std::string_view path) {
    const auto uri = parse_libvirt_uri(text);
    ASSERT_TRUE(uri) << text << ": " << uri.error().message;
    EXPECT_EQ(uri->driver, driver);
    EXPECT_EQ(uri->transport, transport);
    EXPECT_EQ(uri->host, host);
    EXPECT_EQ(uri->path, path);
  };
  check("qemu:///system", "qemu", "unix", "", "/system");
  check("qemu:///session", "qemu", "unix", "", "/session");
  check("qemu+ssh://root@hv-03/system", "qemu", "ssh", "root@hv-03", "/system");
  check("qemu://hv-03/system", "qemu", "tls", "hv-03", "/system");
  check("qemu+tcp://127.0.0.1:16509/system?keepalive=1", "qemu", "tcp", "127.0.0.1:16509", "/system");
  check("test:///default", "test", "", "", "/default");
  check("test+unix:///default?socket=/tmp/s", "test", "unix", "", "/default");
  check("xen:///system", "xen", "unix", "", "/system");
}

TEST(LibvirtUri, KnowsTheSocketOfALocalDaemon) {
  EXPECT_EQ(parse_libvirt_uri("qemu:///system")->socket, "/run/libvirt/libvirt-sock-ro");
  EXPECT_EQ(parse_libvirt_uri("qemu+unix:///system?mode=legacy&socket=/tmp/x/sock")->socket, "/tmp/x/sock");
  EXPECT_EQ(parse_libvirt_uri("qemu+ssh://h/system")->socket, "");
}

TEST(LibvirtUri, KnowsAQemuOfThisMachine) {
  for (const std::string_view text : {"qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/s"}) {
    EXPECT_TRUE(is_local_qemu(*parse_libvirt_uri(text))) << text;
  }
  for (const std::string_view text : {"qemu+ssh://h/system", "qemu://h/system", "qemu+tcp://127.0.0.1/system",
                                      "test:///default", "xen:///system"}) {
    EXPECT_FALSE(is_local_qemu(*parse_libvirt_uri(text))) << text;
  }
}

TEST(LibvirtUri, NamesTheMistakeAndTheRightForm) {
  const auto check = [](std::string_view text, std::string_view message, std::string_view fix) {
    const auto uri = parse_libvirt_uri(text);
    ASSERT_FALSE(uri) << text;
    EXPECT_EQ(uri.error().message, message);
    EXPECT_EQ(uri.error().fix, fix);
    EXPECT_EQ(uri.error().code, Errc::invalid);
  };
  check("qemu:///sytem",
        "E103 that libvirt address does not exist: \"qemu:///sytem\": the QEMU driver has no path \"/sytem\"",
        "did you mean qemu:///system ?");
  check("kvm:///system",
        "E103 that libvirt address does not exist: \"kvm:///system\": libvirt has no driver \"kvm\"",
        "did you mean qemu:///system ?");
  check("qemu+shh://h/system",
        "E103 that libvirt address does not exist: \"qemu+shh://h/system\": libvirt has no transport \"shh\"",
        "did you mean qemu+ssh://h/system ?");
  check("system",
        "E103 that libvirt address does not exist: \"system\": it is not of the form driver://host/path",
        "local: qemu:///system; over ssh: qemu+ssh://user@host/system");
}

TEST(LibvirtUri, HidesAPassword) {
  EXPECT_EQ(loggable_uri("esx://root:secret@esx1/?no_verify=1"), "esx://root:***@esx1/?no_verify=1");
  EXPECT_EQ(loggable_uri("qemu+ssh://root@h:22/system"), "qemu+ssh://root@h:22/system");
  EXPECT_EQ(loggable_uri("qemu:///system"), "qemu:///system");
}

}  // namespace
}  // namespace virtmeter
