package simulator

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// launchTemplate is a named row of versions, one of which is the default. Versions are never changed.
type launchTemplate struct {
	ID             string
	Name           string
	CreateTime     time.Time
	CreatedBy      string // an ARN
	Tags           map[string]string
	DefaultVersion int64
	Versions       []*templateVersion // in the order of their numbers, which start at 1
}

type templateVersion struct {
	Number      int64
	CreateTime  time.Time
	CreatedBy   string // an ARN
	Description string
	Data        *templateData
}

func (t *launchTemplate) latest() int64 { return t.Versions[len(t.Versions)-1].Number }

func (t *launchTemplate) version(n int64) *templateVersion {
	if n < 1 || n > t.latest() {
		return nil
	}
	return t.Versions[n-1]
}

func (t *launchTemplate) add(now time.Time, createdBy, description string, data *templateData) *templateVersion {
	v := &templateVersion{
		Number: int64(len(t.Versions)) + 1, CreateTime: now.Truncate(time.Second),
		CreatedBy: createdBy, Description: description, Data: data,
	}
	t.Versions = append(t.Versions, v)
	return v
}

// drsRole is who makes template versions on DRS's own account: its service-linked role.
func (s *ec2State) drsRole() string {
	return "arn:aws:iam::" + s.account + ":role/aws-service-role/drs.amazonaws.com/AWSServiceRoleForElasticDisasterRecovery"
}

// addTemplate puts a template into the world, with data as its version 1 and default. An empty createdBy is DRS.
// The caller may set its Tags.
func (s *ec2State) addTemplate(id, name string, now time.Time, data *templateData, createdBy string) *launchTemplate {
	if createdBy == "" {
		createdBy = s.drsRole()
	}
	t := &launchTemplate{ID: id, Name: name, CreateTime: now.Truncate(time.Second), CreatedBy: createdBy, DefaultVersion: 1}
	t.add(now, createdBy, "", data.clone())
	s.templates[id] = t
	return t
}

// defaultVersion gives the default version's number and a copy of its data.
func (s *ec2State) defaultVersion(templateID string) (number int64, data *templateData, ok bool) {
	t, ok := s.templates[templateID]
	if !ok {
		return 0, nil, false
	}
	return t.DefaultVersion, t.version(t.DefaultVersion).Data.clone(), true
}

// writeVersionByDRS makes a version from the default one and makes it the default, as DRS does when a launch
// configuration is updated. It reports the number, and false for a template that does not exist.
func (s *ec2State) writeVersionByDRS(templateID string, now time.Time, mutate func(*templateData)) (number int64, ok bool) {
	t, ok := s.templates[templateID]
	if !ok {
		return 0, false
	}
	data := t.version(t.DefaultVersion).Data.clone()
	if mutate != nil {
		mutate(data)
	}
	v := t.add(now, s.drsRole(), "", data)
	t.DefaultVersion = v.Number
	return v.Number, true
}

// findTemplate reads LaunchTemplateId or LaunchTemplateName, of which exactly one must be given; nil means that the
// call has failed.
func (s *ec2State) findTemplate(c *ec2Call) *launchTemplate {
	id, name := c.text("LaunchTemplateId"), c.text("LaunchTemplateName")
	switch {
	case id != "" && name != "":
		c.fail("InvalidParameterCombination", "The parameter launchTemplateId cannot be used with the parameter launchTemplateName")
	case id != "":
		return s.templateByID(c, id)
	case name != "":
		return s.templateByName(c, name)
	default:
		c.fail("MissingParameter", "Either a launch template ID or a launch template name must be specified in the request")
	}
	return nil
}

func (s *ec2State) templateByID(c *ec2Call, id string) *launchTemplate {
	if !strings.HasPrefix(id, "lt-") {
		c.fail("InvalidLaunchTemplateId.Malformed", `Invalid id: "%s" (expecting "lt-...")`, id)
		return nil
	}
	t := s.templates[id]
	if t == nil {
		c.fail("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", id)
	}
	return t
}

func (s *ec2State) templateByName(c *ec2Call, name string) *launchTemplate {
	for _, t := range s.templates {
		if t.Name == name {
			return t
		}
	}
	c.fail("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", name)
	return nil
}

// findVersion reads a version as clients write it: a number, $Latest or $Default.
func (t *launchTemplate) findVersion(c *ec2Call, parameter, text string) *templateVersion {
	switch text {
	case "$Latest":
		return t.version(t.latest())
	case "$Default":
		return t.version(t.DefaultVersion)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		c.fail("InvalidParameterValue", "Invalid launch template version '%s' for %s: either '$Default', '$Latest', or a numeric version is allowed", text, parameter)
		return nil
	}
	v := t.version(n)
	if v == nil {
		c.fail("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %d for the launch template with ID %s.", n, t.ID)
	}
	return v
}

// templateName is what EC2 takes for a name: 3 to 128 characters (EC2 API reference, CreateLaunchTemplate).
var templateName = regexp.MustCompile(`^[a-zA-Z0-9().\-/_]{3,128}$`)

func (s *ec2State) createLaunchTemplate(c *ec2Call) (map[string]any, *apiError) {
	name := c.required("LaunchTemplateName")
	data := readTemplateData(c.form, "LaunchTemplateData")
	description := c.description()
	tags := c.tagSpecifications("launch-template")
	key, token, replayed := s.clientToken(c)
	if name != "" && !templateName.MatchString(name) {
		c.fail("InvalidLaunchTemplateName.MalformedException", "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _")
	}
	if err := c.ready(); err != nil {
		return nil, err
	}
	if replayed {
		t := s.templates[token.template]
		return map[string]any{"launchTemplate": t.answer(), "warning": s.warning(t.version(1).Data)}, nil
	}
	for _, t := range s.templates {
		if t.Name == name {
			return nil, badRequest("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
		}
	}
	if err := data.check(); err != nil {
		return nil, err
	}
	t := s.addTemplate(c.ids("lt-"), name, c.now, data, c.caller)
	t.Tags = tags
	t.Versions[0].Description = description
	s.remember(key, token, t.ID, 1)
	return map[string]any{"launchTemplate": t.answer(), "warning": s.warning(data)}, nil
}

func (s *ec2State) createLaunchTemplateVersion(c *ec2Call) (map[string]any, *apiError) {
	t := s.findTemplate(c)
	data := readTemplateData(c.form, "LaunchTemplateData")
	description := c.description()
	source := c.text("SourceVersion")
	c.boolean("ResolveAlias") // no Systems Manager here, so there is no alias to resolve
	key, token, replayed := s.clientToken(c)
	if t != nil && source != "" && !replayed {
		if v := t.findVersion(c, "SourceVersion", source); v != nil {
			data = data.over(v.Data)
		}
	}
	if err := c.ready(); err != nil {
		return nil, err
	}
	v := t.version(token.version)
	if !replayed {
		if err := data.check(); err != nil {
			return nil, err
		}
		v = t.add(c.now, c.caller, description, data)
		s.remember(key, token, t.ID, v.Number)
	}
	return map[string]any{"launchTemplateVersion": t.versionAnswer(v), "warning": s.warning(v.Data)}, nil
}

// modifyLaunchTemplate sets the default version. With a client token that was used before it answers success and
// changes nothing, even if the default is another by now: only the answer shows that.
func (s *ec2State) modifyLaunchTemplate(c *ec2Call) (map[string]any, *apiError) {
	t := s.findTemplate(c)
	number := c.required("SetDefaultVersion")
	key, token, replayed := s.clientToken(c)
	var v *templateVersion
	if t != nil && number != "" {
		v = t.findVersion(c, "SetDefaultVersion", number)
	}
	if err := c.ready(); err != nil {
		return nil, err
	}
	if !replayed {
		t.DefaultVersion = v.Number
		s.remember(key, token, t.ID, v.Number)
	}
	return map[string]any{"launchTemplate": t.answer()}, nil
}

func (c *ec2Call) description() string {
	d := c.text("VersionDescription")
	if len(d) > 255 {
		c.fail("InvalidParameterValue", "The version description is longer than 255 characters")
	}
	return d
}

// tagSpecifications reads the tags for a resource that the call makes; EC2 refuses those of any other type.
func (c *ec2Call) tagSpecifications(resource string) map[string]string {
	tags := make(map[string]string)
	for _, p := range c.prefixes("TagSpecification") {
		if r := c.text(p + "ResourceType"); r != resource {
			c.fail("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", r)
		}
		for _, tag := range c.prefixes(p + "Tag") {
			tags[c.required(tag+"Key")] = c.text(tag + "Value")
		}
	}
	return tags
}
