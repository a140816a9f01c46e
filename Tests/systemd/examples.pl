#!/usr/bin/perl
# Writes labelled examples as safetensors: noisy pictures of three patterns, 3 × 12 × 12. Usage: examples.pl FILE COUNT SEED PATTERNS
use strict;
use warnings;

my ($path, $count, $seed, $patterns) = @ARGV;
my $pixels = 3 * 12 * 12;

sub normal { return sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand()) }

srand($patterns);
my @pattern = map { [map { 1.2 * normal() } 1 .. $pixels] } 0 .. 2;
srand($seed);
my @labels = map { int(rand(3)) } 1 .. $count;
my $values = pack("f<*", map { my $p = $pattern[$_]; map { $_ + normal() } @$p } @labels);
my $labels = pack("q<*", @labels);
my $header = sprintf(
    '{"labels":{"dtype":"I64","shape":[%d],"data_offsets":[0,%d]},'
        . '"pixel_values":{"dtype":"F32","shape":[%d,3,12,12],"data_offsets":[%d,%d]}}',
    $count, length $labels, $count, length $labels, length($labels) + length $values
);
$header .= " " x (-length($header) % 8);
open my $file, ">:raw", $path or die "$path: $!\n";
print $file pack("Q<", length $header), $header, $labels, $values;
close $file or die "$path: $!\n";
