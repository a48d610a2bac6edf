// Saved workflows and their versions (rows.hpp).
#include "jobs/keyset.hpp"
#include "runs/rows.hpp"

namespace kinora::runs {
namespace {

using store::Connection;
using store::Statement;

std::int64_t millis(UnixMillis time) { return time.time_since_epoch().count(); }
UnixMillis time_of(std::int64_t value) { return UnixMillis(std::chrono::milliseconds(value)); }

base::Status changed_one(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  if (*changed != 1) return base::fail(base::ErrorCode::conflict, "the workflow has changed meanwhile");
  return {};
}

constexpr std::string_view kColumns = "id, project, name, description, visibility, version, revision, created_at, updated_at";

Workflow read_workflow(const Statement& row) {
  return {.id = std::string(row.text(0)),
          .project = std::string(row.text(1)),
          .name = std::string(row.text(2)),
          .description = row.optional_text(3),
          .visibility = std::string(row.text(4)),
          .version = static_cast<int>(row.integer(5)),
          .revision = row.integer(6),
          .created_at = time_of(row.integer(7)),
          .updated_at = time_of(row.integer(8))};
}
WorkflowVersion read_version(const Statement& row) {
  return {.version = static_cast<int>(row.integer(0)),
          .args_schema = json::parse(row.text(1)).as_object(),
          .definition = json::parse(row.text(2)).as_object(),
          .digest = std::string(row.text(3)),
          .created_at = time_of(row.integer(4))};
}
base::Status insert_version(Connection& connection, std::string_view workflow, const WorkflowVersion& version) {
  return changed_one(connection.run(
      "INSERT INTO workflow_versions(workflow, version, args_schema, definition, digest, created_at) VALUES(?, ?, ?, ?, ?, ?)", workflow,
      version.version, json::serialize(version.args_schema), json::serialize(version.definition), version.digest,
      millis(version.created_at)));
}

}  // namespace

base::Status insert_workflow(Connection& connection, const Workflow& workflow, const WorkflowVersion& first) {
  KINORA_OK(
      changed_one(connection.run("INSERT INTO workflows(id, project, name, description, visibility, version, revision, created_at, "
                                 "updated_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                 workflow.id, workflow.project, workflow.name, workflow.description, workflow.visibility, workflow.version,
                                 workflow.revision, millis(workflow.created_at), millis(workflow.updated_at))));
  return insert_version(connection, workflow.id, first);
}

base::Status add_version(Connection& connection, const Workflow& workflow, const WorkflowVersion& version) {
  KINORA_OK(update_workflow(connection, workflow));
  return insert_version(connection, workflow.id, version);
}

base::Status update_workflow(Connection& connection, const Workflow& workflow) {
  return changed_one(
      connection.run("UPDATE workflows SET name = ?, description = ?, visibility = ?, version = ?, revision = ?, updated_at = ? "
                     "WHERE id = ? AND revision = ? - 1",
                     workflow.name, workflow.description, workflow.visibility, workflow.version, workflow.revision,
                     millis(workflow.updated_at), workflow.id, workflow.revision));
}

base::Status delete_workflow(Connection& connection, std::string_view project, std::string_view id) {
  KINORA_TRY(const auto gone, connection.run("DELETE FROM workflows WHERE id = ? AND project = ?", id, project));
  if (gone == 0) return base::fail(base::ErrorCode::not_found, "no workflow of that id");
  KINORA_TRY(const auto versions, connection.run("DELETE FROM workflow_versions WHERE workflow = ?", id));
  static_cast<void>(versions);
  return {};
}

base::Result<Workflow> find_workflow(Connection& connection, std::string_view project, std::string_view id) {
  static const std::string sql =
      "SELECT " + std::string(kColumns) + " FROM workflows WHERE id = ? AND (project = ? OR visibility = 'public')";
  KINORA_TRY(Statement row, connection.query(sql, id, project));
  KINORA_TRY(const bool there, row.step());
  if (!there) return base::fail(base::ErrorCode::not_found, "no workflow of that id");
  return read_workflow(row);
}

base::Result<WorkflowVersion> find_version(Connection& connection, std::string_view id, int version) {
  KINORA_TRY(Statement row,
             connection.query(
                 "SELECT version, args_schema, definition, digest, created_at FROM workflow_versions WHERE workflow = ? AND version = ?",
                 id, version));
  KINORA_TRY(const bool there, row.step());
  if (!there) return base::fail(base::ErrorCode::not_found, "the workflow has no such version");
  return read_version(row);
}

base::Result<std::vector<WorkflowVersion>> list_versions(Connection& connection, std::string_view id) {
  KINORA_TRY(Statement row,
             connection.query("SELECT version, args_schema, definition, digest, created_at FROM workflow_versions WHERE workflow = ? "
                              "ORDER BY version DESC LIMIT 1000",
                              id));
  std::vector<WorkflowVersion> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back(read_version(row));
  }
}

base::Result<jobs::Listing<Workflow>> list_workflows(Connection& connection, std::string_view project, const jobs::Page& page) {
  jobs::Keyset keyset("SELECT " + std::string(kColumns) + " FROM workflows WHERE project = ?", page);
  keyset.add("project", std::string(project), true);
  KINORA_TRY(Statement row, keyset.query(connection));
  std::vector<Workflow> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return keyset.listing(std::move(out));
    out.push_back(read_workflow(row));
  }
}

}  // namespace kinora::runs
