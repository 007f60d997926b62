"""What `new-app` starts from: files of `apps/`, with @NAME@, @CHART@ and @IMAGES@ to be filled in.

`app.…` is the same for all, `backend.…` for an app with a container of ours, `chart.…` for a Helm chart.
"""
