#!/usr/bin/perl
# A softphone on Perl's Net::SIP, which writes all header names in lower case.
#   phone.pl udp|tcp PORT call URI   calls, and hangs up when a line comes on standard input
#   phone.pl udp|tcp PORT wait       takes a call with audio, refuses others with 488, ends when it is hung up
# Prints what happens, a line each.
use strict;
use warnings;
use Net::SIP qw(:all);
use Net::SIP::Leg;

my ($proto, $port, $mode, $uri) = @ARGV;
$| = 1;

my $leg = Net::SIP::Leg->new(proto => $proto, addr => '127.0.0.1', port => $port);
my $loop = Net::SIP::Dispatcher::Eventloop->new;
my $ua = Net::SIP::Simple->new(
  from => "sip:perl\@127.0.0.1:$port",
  contact => "sip:perl\@127.0.0.1:$port" . ($proto eq 'tcp' ? ';transport=tcp' : ''),
  legs => [$leg],
  loop => $loop,
);
my $end;
my $silence = sub { 1 };

if ($mode eq 'call') {
  my $hang_up;
  my $call = $ua->invite(
    $uri,
    init_media => $silence,
    cb_final => sub {
      my ($status, undef, %info) = @_;
      print "answered $status" . ($info{code} ? " $info{code}" : '') . "\n";
      $end = 1 if $status ne 'OK';
    },
    recv_bye => sub { print "bye received\n"; $end = 1 },
  ) or die $ua->error;
  $loop->addFD(\*STDIN, 0, sub { $loop->delFD(\*STDIN); $hang_up = 1 });
  $ua->loop(30, \$end, \$hang_up);
  if ($hang_up) {
    $call->bye(cb_final => sub { print "bye answered\n"; $end = 1 });
    $ua->loop(10, \$end);
  }
} else {
  $ua->listen(
    init_media => $silence,
    cb_create => sub {
      my ($call, $request) = @_;
      return 1 if ($request->as_string =~ /^m=audio/m) && ($request->as_string !~ /^m=message/m);
      return sub {
        my (undef, $endpoint, $ctx, undef, undef, $packet, $from_leg, $from) = @_;
        return if !$packet || $packet->method ne 'INVITE';
        print "refused\n";
        $endpoint->new_response($ctx, $packet->create_response('488', 'Not Acceptable Here'), $from_leg, $from);
      };
    },
    cb_established => sub { print "established\n" },
    recv_bye => sub { print "bye received\n"; $ua->add_timer(0.5, sub { $end = 1 }) },
  );
  print "listens\n";
  $ua->loop(30, \$end);
}
$ua->cleanup;
print "end\n";
