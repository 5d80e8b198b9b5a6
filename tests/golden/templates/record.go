// Records what Go's text/template makes of the cases in this folder: `go run record.go *.txt`, in the folder, rewrites
// them in place. The tests (tests/templates.rs) need no Go.
//
// A case is a paragraph, with an optional name before it:
//
//	a width pads on the left
//	> [{{ printf "%5d" 42 }}]
//	= [   42]
//
// `> ` leads each line of the template, `= ` each line of what it prints, `! ` each line of the error. There is no line
// break behind the last of them. A text that blanks at the end of a line or odd characters would make hard to read
// stands as a JSON string instead, right behind its sign: `="a \n"`. To add a case, write its template and record.
//
// `@ ` leads the reason why a case is written by hand, which is left as it is:
//
//	@ go 1.24     the answer is that of a newer Go than the one that recorded the rest (1.19)
//	@ ours        we differ from Go on purpose; what Go does stands behind it
//
// Lines with `# ` are headings. All templates are called `test` and work on data.json (numbers with a point or an exponent are
// float64, others int) and on the values of types below, which tests/support/templates.rs has in Rust.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"text/template"
	"time"
)

// Service is a smaller ServiceConfig of docker/cli.
type Service struct {
	Name        string
	Image       string
	Command     []string
	DNS         []string
	Labels      map[string]string
	Environment map[string]*string
	Ports       []Port
	Deploy      Deploy
	HealthCheck *Health
	Logging     *Logging
	Grace       *time.Duration
	Delay       time.Duration
	Memory      int64
	Privileged  bool
}

// Port is a struct in a slice.
type Port struct {
	Mode      string
	Target    uint32
	Published uint32
	Protocol  string
}

// Deploy is a struct by value.
type Deploy struct {
	Replicas *uint64
	Limits   *Limits
	Window   *time.Duration
}

// Limits is behind a pointer.
type Limits struct {
	CPUs   string
	Memory int64
}

// Health is behind a pointer.
type Health struct {
	Test     []string
	Interval *time.Duration
	Retries  *uint64
}

// Logging is behind a nil pointer.
type Logging struct {
	Driver  string
	Options map[string]string
}

func service() *Service {
	replicas, retries, hour, value := uint64(0), uint64(3), 36*time.Hour, "x"
	return &Service{
		Name:        "web",
		Image:       "nginx:1",
		Command:     []string{"run", "--fast"},
		Labels:      map[string]string{"b.c": "2", "a": "1"},
		Environment: map[string]*string{"SET": &value, "UNSET": nil},
		Ports:       []Port{{"ingress", 80, 8080, "tcp"}, {"host", 53, 0, "udp"}},
		Deploy:      Deploy{Replicas: &replicas, Limits: &Limits{"0.5", 52428800}},
		HealthCheck: &Health{Test: []string{"CMD", "true"}, Retries: &retries},
		Grace:       &hour,
		Delay:       90 * time.Second,
		Memory:      1024,
	}
}

func data() map[string]interface{} {
	text, err := os.ReadFile("data.json")
	if err != nil {
		log.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var root map[string]interface{}
	if err := decoder.Decode(&root); err != nil {
		log.Fatal(err)
	}
	root = typed(root).(map[string]interface{})
	root["Service"] = service()
	root["names"] = []string{"x", "y"}
	root["pairs"] = map[string]string{"k": "v"}
	root["counts"] = map[string]int{"one": 1}
	root["wait"] = 1500 * time.Millisecond
	root["port"] = uint64(8080)
	return root
}

// typed makes numbers int or float64, as YAML does.
func typed(value interface{}) interface{} {
	switch value := value.(type) {
	case json.Number:
		if number, err := value.Int64(); err == nil {
			return int(number)
		}
		number, err := value.Float64()
		if err != nil {
			log.Fatal(err)
		}
		return number
	case map[string]interface{}:
		for key, entry := range value {
			value[key] = typed(entry)
		}
	case []interface{}:
		for at, item := range value {
			value[at] = typed(item)
		}
	}
	return value
}

var functions = template.FuncMap{
	"upper":  strings.ToUpper,
	"repeat": func(count int, text string) string { return strings.Repeat(text, count) },
	"concat": func(first string, others ...string) string { return first + strings.Join(others, "") },
	"list":   func(items ...interface{}) []interface{} { return items },
	"same":   func(value interface{}) interface{} { return value },
	"fail":   func(message string) (string, error) { return "", errors.New(message) },
}

func run(text string) (string, error) {
	parsed, err := template.New("test").Funcs(functions).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, data())
	return out.String(), err
}

// block is what stands behind a sign: lines, or one JSON string.
func block(lines []string, sign string) string {
	if strings.HasPrefix(lines[0], sign+`"`) {
		var text string
		if err := json.Unmarshal([]byte(lines[0][1:]), &text); err != nil {
			log.Fatal(lines[0], ": ", err)
		}
		return text
	}
	var texts []string
	for _, line := range lines {
		texts = append(texts, strings.TrimPrefix(line[1:], " "))
	}
	return strings.Join(texts, "\n")
}

func written(sign, text string) []string {
	lines := strings.Split(text, "\n")
	odd := strings.HasSuffix(text, "\n") || strings.ContainsRune(text, '\ufeff')
	for _, line := range lines {
		odd = odd || strings.TrimRight(line, " ") != line || strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0
	}
	if odd {
		var quoted strings.Builder
		encoder := json.NewEncoder(&quoted)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			log.Fatal(err)
		}
		return []string{sign + strings.TrimSuffix(quoted.String(), "\n")}
	}
	for at, line := range lines {
		lines[at] = strings.TrimRight(sign+" "+line, " ")
	}
	return lines
}

// record answers the templates of a file anew.
func record(text string) string {
	var out, question []string
	byHand := false
	answer := func() {
		if len(question) > 0 && !byHand {
			result, err := run(block(question, ">"))
			if err != nil {
				out = append(out, written("!", err.Error())...)
			} else {
				out = append(out, written("=", result)...)
			}
		}
		question, byHand = nil, false
	}
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, ">"):
			question = append(question, line)
		case (strings.HasPrefix(line, "=") || strings.HasPrefix(line, "!")) && !byHand:
			continue
		case strings.HasPrefix(line, "@"):
			byHand = true
		case line == "":
			answer()
		}
		out = append(out, line)
	}
	answer()
	return strings.Join(out, "\n") + "\n"
}

func main() {
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(record(string(text))), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Fprintln(os.Stderr, len(os.Args)-1, "files recorded")
}
