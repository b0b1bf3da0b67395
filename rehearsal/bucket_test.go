//go:build rehearsal

package rehearsal_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// bucket is a folder that stands for one in S3.
type bucket struct{ dir string }

// artifacts are the properties that name a file beside the template, and how a
// packaged template says where it is: as aws cloudformation package has them.
var artifacts = map[string]struct{ property, bucket, key string }{
	"AWS::Lambda::Function":            {"Code", "S3Bucket", "S3Key"},
	"AWS::StepFunctions::StateMachine": {"DefinitionS3Location", "Bucket", "Key"},
}

// pack does what aws cloudformation package does: it puts the files that a
// template names into the bucket, and gives the template that names them there.
func (b bucket) pack(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make stack makes it", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	resources := entry(document.Content[0], "Resources")
	for i := 1; i < len(resources.Content); i += 2 {
		resource := resources.Content[i]
		a, is := artifacts[entry(resource, "Type").Value]
		if !is {
			continue
		}
		place := entry(entry(resource, "Properties"), a.property)
		key := b.put(t, filepath.Join(filepath.Dir(file), place.Value))
		*place = yaml.Node{}
		if err := place.Encode(map[string]string{a.bucket: b.dir, a.key: key}); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := yaml.Marshal(&document)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// entry gives a mapping's value; an empty one where there is none.
func entry(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return &yaml.Node{}
}

// put keeps a file under a key that is made from its bytes.
func (b bucket) put(t *testing.T, file string) (key string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make stack makes it", err)
	}
	key = fmt.Sprintf("%x", sha256.Sum256(data))
	if err := os.WriteFile(filepath.Join(b.dir, key), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return key
}

// get reads what a packaged property names.
func (b bucket) get(t *testing.T, kind string, place any) []byte {
	t.Helper()
	a := artifacts[kind]
	at, _ := place.(map[string]any)
	if at[a.bucket] != b.dir {
		t.Fatalf("the packaged template names %v, which is not in the bucket", place)
	}
	data, err := os.ReadFile(filepath.Join(b.dir, fmt.Sprint(at[a.key])))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
