// Records printf.txt: what Go's fmt makes of formats and values.
//
//	go run printf.go >printf.txt        # the table of the tests
//	go run printf.go -all               # all combinations, too many to keep
//
// A line is FORMAT, RESULT and the arguments, with tabs between them. Format, result and texts are quoted as in Go; the other
// arguments are nil, true, false, iINT, uUINT, fFLOAT, dNANOSECONDS or a name that the test knows as well.
package main

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"
)

type Bytes int64

type Port struct {
	Mode              string
	Target, Published uint32
}

type Service struct {
	Name    string
	Size    Bytes
	Cpus    float64
	On      bool
	Any     interface{}
	Port    Port
	Wait    time.Duration
	Every   *time.Duration
	Retries *uint64
	Tags    []string
	Labels  map[string]string
	Extra   []interface{}
}

// The values by their names, made anew: at another address each time.
func values() map[string]interface{} {
	minute := 90 * time.Second
	port := Port{"ingress", 3000, 9090}
	ints := []int{1, -2, 300}
	labels := map[string]string{"b": "2", "a": "1"}
	return map[string]interface{}{
		"ints":    ints,
		"floats":  []float64{1, 1e6, -0.25},
		"strings": []string{"a b", "é"},
		"anys":    []interface{}{1, "two", 3.5, nil, true, minute},
		"bytes":   [][]byte{[]byte("h\x01é"), {}},
		"empty":   make([]interface{}, 0, 1),
		"map":     map[string]interface{}{"b": 1, "a": "x", "c": nil},
		"labels":  labels,
		"nested":  map[string]interface{}{"l": []interface{}{1, []interface{}{"x"}}, "m": map[string]interface{}{"k": 2.5}},
		"nomap":   map[string]string{},
		"port":    port,
		"ports":   []Port{port, {}},
		"service": Service{"web", 1 << 20, 0.5, true, nil, port, minute, &minute, nil, []string{"a", "b c"},
			map[string]string{"k": "v"}, []interface{}{1, nil, "x"}},
		"pport":   &port,
		"pints":   &ints,
		"plabels": &labels,
		"pminute": &minute,
		"nouint":  (*uint64)(nil),
		"noport":  (*Port)(nil),
		"nowait":  (*time.Duration)(nil),
	}
}

// A name of a value.
type name string

var (
	these, others = values(), values()
	names         = []name{"ints", "floats", "strings", "anys", "bytes", "empty", "map", "labels", "nested", "nomap", "port", "ports",
		"service", "pport", "pints", "plabels", "pminute", "nouint", "noport", "nowait"}
	random = uint64(1)
)

func next(below int) int {
	random = random*6364136223846793005 + 1442695040888963407
	return int(random>>33) % below
}

func notation(value interface{}) string {
	switch value := value.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(value)
	case int:
		return "i" + strconv.Itoa(value)
	case uint64:
		return "u" + strconv.FormatUint(value, 10)
	case float64:
		return "f" + strconv.FormatFloat(value, 'g', -1, 64)
	case string:
		return strconv.QuoteToASCII(value)
	case time.Duration:
		return "d" + strconv.FormatInt(int64(value), 10)
	}
	return string(value.(name))
}

func meant(arguments []interface{}, values map[string]interface{}) (meant []interface{}) {
	for _, argument := range arguments {
		if name, ok := argument.(name); ok {
			argument = values[string(name)]
		}
		meant = append(meant, argument)
	}
	return
}

func record(format string, arguments ...interface{}) {
	result := fmt.Sprintf(format, meant(arguments, these)...)
	if result != fmt.Sprintf(format, meant(arguments, others)...) {
		return // It tells an address.
	}
	line := []string{strconv.QuoteToASCII(format), strconv.QuoteToASCII(result)}
	for _, argument := range arguments {
		line = append(line, notation(argument))
	}
	fmt.Println(strings.Join(line, "\t"))
}

func main() {
	all := flag.Bool("all", false, "record all combinations")
	flag.Parse()
	fmt.Printf("# What Go's fmt.Sprintf makes of formats and values; recorded with %s by `go run printf.go >printf.txt`.\n", runtime.Version())
	wrong()
	floats(*all)
	scalars := []interface{}{
		nil, true, false, 0, 7, -42, 65, 0x263a, 0x1f600, 0xd800, 0x110000, math.MaxInt64, math.MinInt64,
		uint64(0), uint64(300), uint64(math.MaxUint64), 0.0, math.Copysign(0, -1), 1.0, -1.5, 1e6, 123456789.0, 1e-5, 1e21, math.Pi,
		math.Inf(1), math.Inf(-1), math.NaN(), "", "hi", "a\"b`\n", "é☺\u0301\u00a0", "x\ty", 90 * time.Second, time.Duration(0), -1500 * time.Microsecond,
	}
	verbs := strings.Split("v v v s s d d q x X T t b c o O U e E f F g G p z w é", " ")
	flags := strings.Split("||+|-|#|0| |+0|#0|+#|-0|0-|# |+ ", "|")
	widths := strings.Split("|||3|8|20", "|")
	precisions := strings.Split("|||.|.0|.1|.3|.12", "|")
	values := scalars
	for _, name := range names {
		values = append(values, name)
	}
	for _, verb := range strings.Split("v +v #v s d q x T z", " ") {
		for _, value := range values {
			record("%"+verb, value)
		}
	}
	if !*all {
		for count := 0; count < 900; count++ {
			format := "%" + flags[next(len(flags))] + widths[next(len(widths))] + precisions[next(len(precisions))] + verbs[next(len(verbs))]
			record(format, values[next(len(values))])
		}
		return
	}
	for _, flag := range flags[1:] {
		for _, width := range widths[2:] {
			for _, precision := range precisions[2:] {
				for _, verb := range verbs[2:] {
					for _, value := range values {
						record("%"+flag+width+precision+verb, value)
					}
				}
			}
		}
	}
}

// What is wrong with a format, and what is not: indexes, stars, arguments.
func wrong() {
	for _, format := range strings.Split("|a|%|a%|%%|%5%|%-5%%d|%z|%!|%.|%5|%5.|%é|%d %s|%d%d%d|%[1]d|%[2]d|%[2]d %[1]d|%[1]d%[1]q|%[3]d|%[0]d|"+
		"%[-1]d|%[]d|%[x]d|%[1|%[|%[]|%[1]|%[1]|%[d%d|%[1d]|%[2]*[1]d|%[2]*d|%[1]*d|%[3]*d|%*d|%-*d|%0*d|%*|%.*d|%.[2]*d|%.[2]d|%[1].2d|%[1]2d|%[1]02d|"+
		"%[1]*.2d|%[1]*.[2]*[1]d|%*.*d|%6.[1]d|%.*[1]d|%[5]%|%[1]%|%[1000001]d|%[99999999]d|%10000000000d after|%.10000000000d after|%d after %", "|") {
		record(format)
		record(format, 5)
		record(format, 5, 7)
		record(format, 5, "hi", 7)
	}
	for _, value := range []interface{}{-6, 1000001, -1000001, uint64(6), uint64(math.MaxUint64), "6", 6.0, nil, 6 * time.Nanosecond} {
		record("%*d", value, 42)
		record("%0*d", value, 42)
		record("%.*f", value, 4.2)
		record("%[1]*[2]d", value, 42)
	}
	record("%d", 1, nil, "x", 2.5, name("ints"), name("pport"), name("nouint"), time.Minute, true)
	record("%s and %q", "a", "b")
	record("%.1000001s|%.10000009s|%.10000010s", "hi", "hi", "hi")
	record("%p %#p %5p", name("nouint"), name("noport"), name("nowait"))
	record("%.0x %.0x %.1x %.1x %.1x", 1.5, 3.5, 1.03125, 1.09375, 1.04)
	record("é%sé%vé", "☺", "☺")
	record("%5s|%-5s|%05s|%.1s|%5.1q", "é☺", "é☺", "é☺", "é☺", "é☺")
}

// Floats of all sizes, by all forms.
func floats(all bool) {
	count, forms := 12, strings.Split("%v %e %.3e %f %.2f %g %.3g %.17g %#g %#.3g %x %.3x %#X %b %+.0f %#.0e %G %.0f", " ")
	if all {
		count = 3000
	}
	for ; count > 0; count-- {
		value := math.Float64frombits(random<<1 ^ random>>7)
		switch count % 4 {
		case 1:
			value = float64(next(1<<20)) / 64
		case 2:
			value = float64(next(100000000)) * math.Pow10(next(40)-20)
		case 3:
			value = math.Round(value) * float64(next(9)) / 4
		}
		next(2)
		for _, form := range forms {
			record(form, value)
		}
	}
	for _, value := range []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, 2.2250738585072014e-308, 0.5, 2.5, 0.000123456, 99999.5, 999999.5, 1e20, 1e22} {
		for _, form := range forms {
			record(form, value)
		}
	}
}
